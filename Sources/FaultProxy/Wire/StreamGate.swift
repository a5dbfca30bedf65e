/// What cut points do in one stream of a connection.
struct StreamGate: Sendable {
    /// An action inside or behind the message that is under way.
    struct Appointment: Sendable {
        var bytesLeft: Int
        let cut: ActiveCut
    }

    /// Bytes from the start of a message that has to be seen first.
    var kept: [UInt8] = []
    /// Nothing new can be said with fewer kept bytes.
    var needed = 0
    /// Bytes to come of the message under way, when it was looked at.
    var messageLeft = 0
    /// In the order in which they are met.
    var appointments: [Appointment] = []
    /// The message under way does not go on.
    var isSwallowing = false
    /// Nothing goes on any more.
    var isDead = false
    /// To be done when the message under way has gone on, instead of everything that follows.
    var due: [WireEffect] = []

    mutating func make(_ appointment: Appointment) {
        let place = appointments.firstIndex { $0.bytesLeft > appointment.bytesLeft } ?? appointments.count
        appointments.insert(appointment, at: place)
    }

    /// Something is under way that would be lost if nobody looked at the stream any more.
    var isBusy: Bool { !kept.isEmpty || isSwallowing || !due.isEmpty }
}
