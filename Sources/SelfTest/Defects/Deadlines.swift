import RigModel
import Workloads

/// Limits that begin anew where they should go on, and answers that come before there is one.
enum Deadlines {
    static let all: [Defect] = [
        Defect(
            "deadline-begins-anew", .deadline, "each retry of an acquire has the whole limit again",
            breaks: "deadline",
            in: .frozenAndRefused.judging("deadline: {}"), pool: { BudgetAnew() }),
        Defect(
            "gives-up-too-early", .deadline, "whatever is slow is given up at once and goes on unseen",
            breaks: "latency-is-seen", in: .frozen.judging("latency-is-seen: {}"), pool: { Impatient() }),
        Defect(
            "slow-reads", .queue, "each read takes half a second longer than it must", breaks: "thresholds",
            in: .killed.judging("thresholds: {read.p90: \"< 400ms in phase steady\"}"), pool: { SlowReads() }),
    ]
}

private struct BudgetAnew: PoolDefect {
    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport {
        var report = await pool.use(request)
        for _ in 1...8
        where report.outcome == .fail && report.completion.error?.phase == .acquire && !Task.isCancelled {
            let acquire = report.completion.acquireNanoseconds ?? 0
            report = await pool.use(request)
            report.completion.acquireNanoseconds = max(acquire, report.completion.acquireNanoseconds ?? 0)
        }
        return report
    }
}

/// Answers after 20 ms, whatever the use does then.
private struct Impatient: PoolDefect {
    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport {
        await withCheckedContinuation { continuation in
            let answer = Memory<CheckedContinuation<UseReport, Never>?>(continuation)
            func give(_ report: UseReport) {
                let waiting = answer.withLock { answer in
                    defer { answer = nil }
                    return answer
                }
                waiting?.resume(returning: report)
            }
            Task { give(await pool.use(request)) }
            Task {
                try? await Task.sleep(for: .milliseconds(20))
                var report = UseReport(outcome: request.isReadOnly ? .fail : .info, completion: Completion(attempt: 0))
                report.completion.error = FailureDescription(
                    phase: .acquire, failureClass: FailureCause.timedOut.name, code: nil, message: "planted")
                give(report)
            }
        }
    }
}

private struct SlowReads: PoolDefect {
    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport {
        if request.isReadOnly { try? await Task.sleep(for: .milliseconds(500)) }
        return await pool.use(request)
    }
}
