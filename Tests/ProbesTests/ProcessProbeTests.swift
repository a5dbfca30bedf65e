import Glibc
import HostSystem
import RigTestSupport
import Testing

@testable import Probes

@Suite struct ProcessProbeTests {
    @Test func threadsThatWantAProcessorAreCounted() throws {
        #expect(MachineProbe.runnableThreads("26.41 42.34 30.17 31/1205 25073\n") == 31)
        #expect(MachineProbe.runnableThreads("") == nil)
        // This one runs.
        #expect(try #require(MachineProbe.runnableThreads()) >= 1)
    }

    @Test func descriptorsOfOneFileAndItsCompanionsAreCounted() throws {
        let folder = try TemporaryFolder()
        let database = folder.file("x.db")
        func count() -> Int? { DescriptorProbe.openDescriptors(ofPathsBeginningWith: database) }
        #expect(count() == 0)
        let names = ["x.db", "x.db", "x.db-wal", "x.db-shm", "other.db"]
        let descriptors = names.map { open(folder.file($0), O_RDWR | O_CREAT, 0o600) }
        #expect(descriptors.allSatisfy { $0 >= 0 })
        #expect(count() == 4)
        unlink(database)
        #expect(count() == 4)  // removed, but still open
        for descriptor in descriptors { close(descriptor) }
        #expect(count() == 0)
    }

    @Test func pathThroughALinkIsResolved() throws {
        let folder = try TemporaryFolder()
        try SmallFile.makeFolder(folder.file("real"))
        #expect(symlink(folder.file("real"), folder.file("link")) == 0)
        let descriptor = open(folder.file("link/x.db"), O_RDWR | O_CREAT, 0o600)
        defer { close(descriptor) }
        #expect(DescriptorProbe.openDescriptors(ofPathsBeginningWith: folder.file("link/x.db")) == 1)
    }

    /// Other tests open and close descriptors meanwhile, so the child that counts is a process of its own; a few may come
    /// and go there too.
    @Test func everyDescriptorIsCounted() async throws {
        await #expect(processExitsWith: .success) {
            let before = try #require(DescriptorProbe.openDescriptors())
            let opened = (0..<50).map { _ in open("/dev/null", O_RDONLY) }
            let during = try #require(DescriptorProbe.openDescriptors())
            for descriptor in opened { close(descriptor) }
            #expect(abs(during - before - 50) < 10)
            let after = try #require(DescriptorProbe.openDescriptors())
            #expect(abs(after - before) < 10)
        }
    }

    @Test func residentMemoryGrowsWithWhatIsTouched() async throws {
        await #expect(processExitsWith: .success) {
            let before = try #require(MemoryProbe.residentBytes())
            let size = 64 << 20
            let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
            memset(memory, 1, size)
            let during = try #require(MemoryProbe.residentBytes())
            #expect(during - before > size / 2)
            memory.deallocate()
        }
    }
}
