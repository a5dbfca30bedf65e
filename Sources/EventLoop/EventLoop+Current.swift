import CLinux

extension EventLoop {
    /// The loop on whose thread the calling code runs; `nil` on any other thread.
    public static var current: EventLoop? {
        clinux_current_loop().map { Unmanaged<EventLoop>.fromOpaque($0).takeUnretainedValue() }
    }

    /// The number of that loop; -1 on any other thread. Cheap: it is on the path of every acquire.
    public static var currentNumber: Int32 { clinux_current_loop_number() }

    /// Called once by the loop's thread, which keeps its loop alive.
    static func enter(_ loop: EventLoop) {
        clinux_set_current_loop(Unmanaged.passUnretained(loop).toOpaque(), loop.number)
    }
}
