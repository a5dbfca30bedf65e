import RigModel
import Testing

@testable import DatabaseServers

/// What `docker inspect` says of a container of docker-compose 1.29, shortened; in the test `edit` changes it.
private func inspection(_ edit: (inout String) -> Void = { _ in }) throws -> JSONValue {
    var text = """
        {
          "Id": "031e97ec6dca4720", "Name": "/proj_db_1",
          "State": {"Status": "running", "Running": true, "Paused": false},
          "HostConfig": {"PortBindings": {"5432/tcp": [{"HostIp": "", "HostPort": "15432"}]}},
          "Config": {
            "Env": ["POSTGRES_USER=app", "POSTGRES_PASSWORD=it's \\\\ a=secret", "POSTGRES_DB=shop", "PATH=/bin"],
            "Labels": {
              "com.docker.compose.project": "proj", "com.docker.compose.service": "db",
              "com.docker.compose.project.config_files": "docker-compose.yml",
              "com.docker.compose.project.working_dir": "/srv/proj"
            }
          },
          "NetworkSettings": {
            "Ports": {"5432/tcp": [{"HostIp": "0.0.0.0", "HostPort": "15432"}, {"HostIp": "::", "HostPort": "15432"}]}
          }
        }
        """
    edit(&text)
    return try JSONValue(parsing: text)
}

private func service(
    on engine: String = "unix:///var/run/docker.sock", _ edit: (inout String) -> Void = { _ in }
) throws -> ComposeService {
    try ComposeService(
        inspection: inspection(edit), service: "db", file: "/srv/proj/docker-compose.yml",
        engine: EngineAddress(engine))
}

@Test(arguments: [
    ("unix:///var/run/docker.sock", nil), ("npipe:////./pipe/docker_engine", nil), ("tcp://127.0.0.1:2375", nil),
    ("tcp://localhost:2375", nil), ("tcp://[::1]:2375", nil), ("tcp://:2375", nil), ("tcp://prod:2376", "prod"),
    ("ssh://me@prod.example", "prod.example"), ("ssh://me@10.1.2.3:22/x", "10.1.2.3"),
    ("tcp://[fd00::1]:2376", "fd00::1"), ("prod:2375", "prod"),
])
func machineOfTheEngineIsReadFromItsAddress(_ text: String, _ host: String?) {
    #expect(EngineAddress(text).remoteHost == host)
}

@Test func portOnAllAddressesIsThatOfTheEnginesMachine() throws {
    #expect(try service(on: "tcp://prod:2376").host == "prod")
    #expect(try service(on: "tcp://127.0.0.1:2375").host == "127.0.0.1")
    #expect(try service(on: "ssh://prod") { $0 = $0.replacing("0.0.0.0", with: "10.1.2.3") }.host == "10.1.2.3")
    #expect(
        throws: ComposeError.publishedElsewhere(service: "db", port: 5432, host: "prod"),
        performing: { try service(on: "ssh://prod") { $0 = $0.replacing("0.0.0.0", with: "127.0.0.1") } })
}

@Test func addressAndCredentialsAreThoseOfTheContainer() throws {
    let found = try service()
    #expect(found.container == "031e97ec6dca4720" && found.project == "proj")
    #expect(
        found.connectionString
            == #"host='127.0.0.1' port='15432' user='app' dbname='shop' password='it\'s \\ a=secret'"#)
}

@Test func whatTheContainerDoesNotSayIsAsInTheOfficialImage() throws {
    let found = try service {
        $0 = $0.replacing("POSTGRES_USER=app", with: "A=b").replacing("POSTGRES_DB=shop", with: "C")
            .replacing("POSTGRES_PASSWORD", with: "D").replacing("0.0.0.0", with: "127.0.0.2")
    }
    #expect(found.connectionString == "host='127.0.0.2' port='15432' user='postgres' dbname='postgres'")
}

@Test(arguments: [
    ("config_files\": \"docker-compose.yml", "config_files\": \"other.yml", "not db of /srv/proj/docker-compose.yml"),
    ("working_dir\": \"/srv/proj", "working_dir\": \"/srv/other", "touches no other service"),
    ("service\": \"db", "service\": \"web", "web of the project proj"),
    ("\"com.docker.compose.project\": \"proj\",", "", "touches no other service"),
    ("\"Running\": true", "\"Running\": false", "up -d db"),
    ("\"Ports\": {\"5432/tcp\"", "\"Ports\": {\"80/tcp\"", "does not publish its port 5432"),
    ("\"HostIp\": \"\", \"HostPort\": \"15432\"", "\"HostIp\": \"\", \"HostPort\": \"\"", "another port at each start"),
    ("\"Id\"", "\"id\"", "does not say Id"),
])
func containerThatCannotBeTheTargetIsRefused(_ old: String, _ new: String, _ words: String) throws {
    do throws(ComposeError) {
        let value: JSONValue
        do { value = try inspection { $0 = $0.replacing(old, with: new) } } catch { throw .unreadable("\(error)") }
        _ = try ComposeService(
            inspection: value, service: "db", file: "/srv/proj/docker-compose.yml",
            engine: EngineAddress("unix:///var/run/docker.sock"))
        Issue.record("accepted")
    } catch {
        #expect(error.description.contains(words), "\(error)")
    }
}

@Test func absolutePathOfTheFileIsKnownToo() throws {
    let found = try service {
        $0 = $0.replacing("\"docker-compose.yml\"", with: "\"/a.yml,/srv/proj/docker-compose.yml\"")
    }
    #expect(found.service == "db")
}
