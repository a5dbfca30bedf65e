package import ConnectionPool
import EventLoop
import RigModel
package import Threading

extension PostgresConnection {
    /// Runs several statements in one round trip (libpq's pipeline mode).
    ///
    /// - `allOrNothing`: one Sync behind all of them, so they are one transaction, or part of the one that is open. The first
    ///   failure undoes those before it; those behind it are not run.
    /// - `independent`: a Sync behind each, so outside a transaction each commits by itself.
    ///
    /// When the connection is lost on the way, the items whose Sync was answered keep their results; the others are in doubt
    /// (`requestSent`), or were never sent. Items that failed only because the server had lost their prepared statement are
    /// run once more; with `independent` that is behind the others.
    ///
    /// - Complexity: O(number of items) memory for the results; at most about 64 KiB of requests wait in libpq at any time.
    package func execute(
        batch: [SQLStatement], atomicity: BatchAtomicity, deadline: MonotonicInstant
    ) async -> [Result<SQLResult, DriverError>] {
        if batch.isEmpty { return [] }
        let start: MonotonicInstant
        do throws(DriverError) { start = try Self.admit(until: deadline) } catch {
            return batch.map { _ in .failure(error) }
        }
        if atomicity == .allOrNothing, let refused = Self.firstRefusal(in: batch) {
            // Nothing may be sent: the Sync would commit the others.
            return batch.indices.map {
                $0 == refused.item ? .failure(refused.error) : .failure(.notRun(after: refused.item))
            }
        }
        var pipeline = Pipeline(items: batch, atomicity: atomicity)
        var results = await run(&pipeline, from: start, until: deadline)
        guard !pipeline.lost.isEmpty, session.transactionStatus == .idle else { return results }
        // Nothing of these was run. What the server had lost is dropped from the cache by now.
        let again = atomicity == .allOrNothing ? Array(batch.indices) : pipeline.lost
        var second = Pipeline(items: again.map { batch[$0] }, atomicity: atomicity)
        for (item, result) in zip(again, await run(&second, from: start, until: deadline)) { results[item] = result }
        return results
    }

    /// Sends a pipeline, and waits for all of its answers.
    nonisolated(nonsending) func run(
        _ pipeline: inout Pipeline, from start: MonotonicInstant, until deadline: MonotonicInstant
    ) async -> [Result<SQLResult, DriverError>] {
        let watch: SocketWatch
        do throws(DriverError) { watch = try session.admit(&pipeline, at: start) } catch {
            return pipeline.items.map { _ in .failure(error) }
        }
        // As in a COPY: a server that waits for a lock takes no more of a long batch, and the deadline bounds that.
        var userTimeout: UInt32?
        defer { if let userTimeout { session.setUserTimeout(milliseconds: userTimeout) } }
        do throws(LoopError) {
            while true {
                let progress = session.advance(&pipeline)
                if case .wait(.both) = progress, userTimeout == nil {
                    userTimeout = session.setUserTimeout(milliseconds: 0)
                }
                guard try await mustGoOn(progress, watch, until: deadline) else { break }
            }
        } catch {
            return pipeline.ledger.results(end: .gone, interruption: giveUp(error, from: start))
        }
        let results = pipeline.ledger.results(end: pipeline.end ?? .gone)
        if let loss = results.lazy.compactMap(\.provenLoss).first { session.damage(loss) }
        return results
    }

    private static func firstRefusal(in batch: [SQLStatement]) -> (item: Int, error: DriverError)? {
        for (item, statement) in batch.enumerated() {
            if let error = TextValues.refusal(of: statement) { return (item, error) }
            for case .text(let text) in statement.parameters where text.utf8.contains(0) { return (item, .nulByte) }
        }
        return nil
    }
}

extension ReplyLedger.End {
    static let gone = ReplyLedger.End(isReady: false, notice: nil, lastWords: "")
}

extension Result where Failure == DriverError {
    /// The failure, if it proves that the connection is lost.
    fileprivate var provenLoss: DriverError? {
        if case .failure(let error) = self, error.provesLoss { error } else { nil }
    }
}
