package import RigModel

// Until the reader of cut rules is here.
extension CutRule {
    package init(json: JSONValue) throws(ProxySetError) { self.init() }
    package init(words: String) throws(ProxySetError) { self.init() }
    package var json: JSONValue { [:] }
}
