/// Where a connection is cut, and how. A value.
package struct CutRule: Sendable {
    package init() {}
}
