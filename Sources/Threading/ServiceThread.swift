import CLinux
import Glibc

/// A named thread with an explicit end: whoever starts one must make its body return and then ``join()`` it.
public final class ServiceThread: Sendable {
    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    private let handle: Lock<pthread_t?>

    /// Starts the thread at once.
    ///
    /// - Parameters:
    ///   - name: shown by `top -H` and debuggers; the kernel keeps 15 bytes.
    ///   - stackBytes: the size of its stack.
    ///   - body: what it runs; the thread ends when it returns.
    public init(name: String, stackBytes: Int = 1 << 20, body: @escaping @Sendable () -> Void) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        var thread = pthread_t()
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                clinux_name_thread(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        precondition(status == 0, "cannot start thread \(name): error \(status) (the limit of threads?)")
        handle = Lock(thread)
    }

    /// Waits until the body has returned. A second call returns at once. Never call it from the thread itself.
    public func join() {
        guard let thread = handle.withLock({ $0.take() }) else { return }
        pthread_join(thread, nil)
    }
}
