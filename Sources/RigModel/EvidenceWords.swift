/// What is read of the evidence of a fault that did not land.
package enum EvidenceWords {
    /// Its reason alone, where it names one; a text as it is; else all of it.
    package static func reason(_ evidence: JSONValue) -> String {
        evidence.stringValue ?? evidence["reason"]?.stringValue ?? evidence.compactText
    }
}
