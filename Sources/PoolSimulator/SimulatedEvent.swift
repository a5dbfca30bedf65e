package import ConnectionPool

/// One event of a simulated life. Events name what they are about by its place in the world's lists (the second waiter, the
/// oldest call), counted round: so a list of events still means something when some are taken out of it. An event about
/// nothing (a release while nothing is lent) is passed over.
///
/// Durations are in nanoseconds.
package enum SimulatedEvent: Sendable, Equatable {
    // Borrowers.

    /// Somebody on this event loop wants a connection, as the shell does it: the short way first.
    case borrow(within: Int, loop: Int)
    /// The same without the short way, as for somebody who lost a race.
    case queue(within: Int, loop: Int)
    /// A waiting borrower is cancelled.
    case cancel(waiter: Int)
    /// A borrower is cancelled after it was answered, before it has noticed the answer.
    case cancelLate(lease: Int)
    /// A cancelled borrower gives back what it was granted.
    case giveBackUntaken(lease: Int)
    /// The look at the socket before the hand-over finds it closed; the borrower comes back for another one.
    case findDead(lease: Int)
    /// A use ends well: given back by the short way first.
    case release(lease: Int)
    case giveBack(lease: Int, ReleaseCondition)
    /// A statement fails in a way that proves the connection dead.
    case noteLoss(lease: Int)
    /// A borrower lets go of what the pool has cut under it; must mean nothing any more.
    case releaseCut(lease: Int)
    case waitUntilFilled
    case cancelFillWait

    // The driver.

    /// Ends a connect, check, reset or close.
    case answer(call: Int, SimulatedAnswer)
    /// The driver sees something on a connection that nobody waits on.
    case idleEvent(connection: Int)

    // The server.

    /// A connection dies without anybody noticing.
    case kill(connection: Int)
    /// All of them.
    case killAll

    // Time.

    /// Time passes; alarms fire and calls end by their deadlines.
    case pass(Int)
    /// Time passes, and the event loop is stuck.
    case stall(Int)
    /// The alarm fires although it is not due.
    case earlyAlarm

    // Control.

    case resize(maxOpen: Int, minIdle: Int, maxIdle: Int?)
    case suspend
    case resume
    case retireAll
    /// Begins the close; the times count from now. `cancelAfter`: `nil` for no cancels.
    case close(cancelAfter: Int?, cutAfter: Int)

    // Proofs.

    /// The server is well, every lease comes back, every call is answered: within its time the pool must serve everybody.
    case settle
    /// The pool is closed if it is not, its limit passes, and nothing may be left.
    case finish
}

/// How a call of the pool's own ends.
package enum SimulatedAnswer: String, Sendable, Equatable, CaseIterable {
    /// Well, if the connection is alive.
    case well
    /// It fails in a way that proves nothing.
    case failed
    /// It fails in a way that proves the connection dead.
    case lost
}

extension SimulatedEvent {
    /// The kinds of events, for the books of what was explored.
    package enum Kind: Int, Sendable, CaseIterable {
        case borrow, queue, cancel, cancelLate, giveBackUntaken, findDead, release, giveBackClean, giveBackDirty,
            giveBackUnusable, giveBackLeaked, noteLoss, releaseCut, waitUntilFilled, cancelFillWait, answerWell,
            answerFailed, answerLost, idleEvent, kill, killAll, pass, stall, earlyAlarm, resize, suspend, resume,
            retireAll,
            close, settle, finish
    }

    package var kind: Kind {
        switch self {
        case .borrow: .borrow
        case .queue: .queue
        case .cancel: .cancel
        case .cancelLate: .cancelLate
        case .giveBackUntaken: .giveBackUntaken
        case .findDead: .findDead
        case .release: .release
        case .giveBack(_, .clean): .giveBackClean
        case .giveBack(_, .needsReset): .giveBackDirty
        case .giveBack(_, .unusable): .giveBackUnusable
        case .giveBack(_, .leaked): .giveBackLeaked
        case .noteLoss: .noteLoss
        case .releaseCut: .releaseCut
        case .waitUntilFilled: .waitUntilFilled
        case .cancelFillWait: .cancelFillWait
        case .answer(_, .well): .answerWell
        case .answer(_, .failed): .answerFailed
        case .answer(_, .lost): .answerLost
        case .idleEvent: .idleEvent
        case .kill: .kill
        case .killAll: .killAll
        case .pass: .pass
        case .stall: .stall
        case .earlyAlarm: .earlyAlarm
        case .resize: .resize
        case .suspend: .suspend
        case .resume: .resume
        case .retireAll: .retireAll
        case .close: .close
        case .settle: .settle
        case .finish: .finish
        }
    }
}
