/// The container that the pool's server runs in: a service of the scenario's compose file. Faults act on it by the
/// engine's own program.
package struct ContainerPlace: Sendable, Equatable {
    /// Stays over restarts.
    package var id: String
    /// By which compose labels it; a container that bears other names is not touched.
    package var service: String
    package var project: String
    /// The engine's address, `unix:///var/run/docker.sock`. It is part of each undo: who heals a dead run may have another
    /// engine in its environment.
    package var engine: String

    package init(id: String, service: String, project: String, engine: String) {
        self.id = id
        self.service = service
        self.project = project
        self.engine = engine
    }
}
