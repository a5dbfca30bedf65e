/// A service of a compose file that cannot be used as a target. Always exit code 3: it is the machine that lacks it.
package enum ComposeError: Error, Equatable, CustomStringConvertible {
    case noProgram
    /// One of the programs failed.
    case failed(command: String, words: String)
    case notRunning(service: String, file: String)
    /// The container's labels name another service or file.
    case notOurs(service: String, file: String, seen: String)
    case notPublished(service: String, port: Int)
    /// Each start of the container would have another one.
    case randomPort(service: String, port: Int)
    /// On the loopback of the engine's host, which is another one.
    case publishedElsewhere(service: String, port: Int, host: String)
    case noAddress
    case unreadable(String)

    package var description: String {
        switch self {
        case .noProgram:
            "neither docker-compose nor docker compose is on this machine (Debian, Ubuntu: apt-get install "
                + "docker.io docker-compose)"
        case .failed(let command, let words): "\(command): \(words)"
        case .notRunning(let service, let file):
            "the service \(service) of \(file) does not run; start it: docker-compose -f \(file) up -d \(service)"
        case .notOurs(let service, let file, let seen):
            "the container is not \(service) of \(file), but \(seen): the rig touches no other service"
        case .notPublished(let service, let port):
            "the service \(service) does not publish its port \(port); add to it: ports: "
                + "[\"127.0.0.1:15432:\(port)\"]"
        case .randomPort(let service, let port):
            "the service \(service) publishes its port \(port) on another port at each start; name one: ports: "
                + "[\"127.0.0.1:15432:\(port)\"]"
        case .publishedElsewhere(let service, let port, let host):
            "the service \(service) publishes its port \(port) on the loopback of \(host), where its engine is; from here it "
                + "cannot be reached"
        case .noAddress: "docker context inspect does not say where the engine answers; set DOCKER_HOST"
        case .unreadable(let what): "docker inspect does not say \(what)"
        }
    }
}
