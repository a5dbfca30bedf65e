import CLibPQ

/// What came beside the answers: libpq calls it while it parses. Guarded by its session's lock, since libpq only runs there.
final class NoticeLog {
    /// The first notice that the session ends.
    private(set) var ending: ServerMessage?
    /// The first complaint of libpq about bytes that nobody asked for.
    private(set) var stray: ServerMessage?

    /// Makes `connection` report here. The log must live as long as the connection.
    func listen(to connection: OpaquePointer) {
        PQsetNoticeReceiver(
            connection,
            { argument, result in
                guard let argument, let result else { return }
                Unmanaged<NoticeLog>.fromOpaque(argument).takeUnretainedValue().take(ServerMessage(result))
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func take(_ message: ServerMessage) {
        if message.announcesEnd {
            ending = ending ?? message
        } else if message.sqlState == nil {
            stray = stray ?? message
        }
    }
}
