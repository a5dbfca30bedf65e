import HostSystem
import RigTestSupport
import Testing

struct ProcessLockTests {
    @Test func oneHoldsItAndTheOtherIsToldWho() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("lock")
        #expect(!ProcessLock.isHeld(path))
        var lock: ProcessLock? = try ProcessLock.take(path)
        #expect(ProcessLock.isHeld(path) && ProcessLock.pid(in: path) == ProcessIdentity.current.pid)
        #expect(throws: ProcessLock.Refusal.held(by: ProcessIdentity.current.pid)) { try ProcessLock.take(path) }
        withExtendedLifetime(lock) {}
        lock = nil
        #expect(!ProcessLock.isHeld(path))
        withExtendedLifetime(try ProcessLock.take(path)) { #expect(ProcessLock.isHeld(path)) }
    }

    @Test func fileThatCannotBeMadeIsNamed() {
        #expect { try ProcessLock.take("/nowhere/lock") } throws: { error in
            guard case .failed(let error)? = error as? ProcessLock.Refusal else { return false }
            return error.description.contains("/nowhere/lock")
        }
    }
}
