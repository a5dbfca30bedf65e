import CYAML

/// One event of libyaml as a Swift value.
struct YAMLEvent {
    enum Kind {
        case streamStart, streamEnd, documentStart, documentEnd
        case sequenceStart, sequenceEnd, mappingStart, mappingEnd
        case scalar(String, isPlain: Bool)
        case alias(String)
    }

    let kind: Kind
    let anchor: String?
    let position: SourcePosition

    init(_ event: yaml_event_t, override: String?) {
        position = SourcePosition(
            line: Int(event.start_mark.line) + 1, column: Int(event.start_mark.column) + 1, override: override)
        func text(_ bytes: UnsafeMutablePointer<UInt8>?) -> String? { bytes.map { String(cString: $0) } }
        switch event.type {
        case YAML_STREAM_START_EVENT: (kind, anchor) = (.streamStart, nil)
        case YAML_STREAM_END_EVENT: (kind, anchor) = (.streamEnd, nil)
        case YAML_DOCUMENT_START_EVENT: (kind, anchor) = (.documentStart, nil)
        case YAML_DOCUMENT_END_EVENT: (kind, anchor) = (.documentEnd, nil)
        case YAML_SEQUENCE_START_EVENT: (kind, anchor) = (.sequenceStart, text(event.data.sequence_start.anchor))
        case YAML_SEQUENCE_END_EVENT: (kind, anchor) = (.sequenceEnd, nil)
        case YAML_MAPPING_START_EVENT: (kind, anchor) = (.mappingStart, text(event.data.mapping_start.anchor))
        case YAML_MAPPING_END_EVENT: (kind, anchor) = (.mappingEnd, nil)
        case YAML_ALIAS_EVENT: (kind, anchor) = (.alias(text(event.data.alias.anchor) ?? ""), nil)
        default:
            let scalar = event.data.scalar
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            kind = .scalar(String(decoding: bytes, as: UTF8.self), isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
            anchor = text(scalar.anchor)
        }
    }
}
