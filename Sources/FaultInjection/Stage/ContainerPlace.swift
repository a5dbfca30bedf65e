/// The container that the pool's server runs in: a service of the scenario's compose file. Faults act on it by the
/// engine's own program.
package struct ContainerPlace: Sendable, Equatable {
    /// Stays over restarts.
    package var id: String
    /// By which compose labels it; a container that bears other names is not touched.
    package var service: String
    package var project: String

    package init(id: String, service: String, project: String) {
        self.id = id
        self.service = service
        self.project = project
    }
}
