import RigModel
import Testing

@Suite struct OperationIDTests {
    @Test(arguments: [0, 1, OperationID.maxWorker], [0, 1, OperationID.maxSequence])
    func partsComeBack(worker: Int, sequence: Int) {
        for attempt in 0...OperationID.maxAttempt {
            let id = OperationID(worker: worker, sequence: sequence, attempt: attempt)
            #expect(id.worker == worker && id.sequence == sequence && id.attempt == attempt)
            #expect(OperationID(rawValue: id.rawValue) == id)
        }
    }

    @Test func largestIDSurvivesADouble() {
        let largest = OperationID(worker: OperationID.maxWorker, sequence: OperationID.maxSequence, attempt: 15)
        #expect(largest.rawValue == 1 << 52 - 1)
        #expect(Int64(Double(largest.rawValue)) == largest.rawValue)
    }

    @Test func attemptsOfOneOperationMeetUnderOneKey() {
        let first = OperationID(worker: 3, sequence: 17, attempt: 1)
        #expect(first.operation == first.withAttempt(2).operation)
        #expect(first.operation == OperationID(worker: 3, sequence: 17))
        #expect(first.operation != OperationID(worker: 3, sequence: 18))
        #expect(first.operation != OperationID(worker: 4, sequence: 17))
    }

    @Test func attemptBeyondFifteenCountsAsFifteen() {
        #expect(OperationID(worker: 0, sequence: 0, attempt: 99).attempt == 15)
        #expect(OperationID(worker: 0, sequence: 0, attempt: -1).attempt == 0)
    }

    @Test func numberThatDoesNotFitStopsTheProcess() async {
        await #expect(processExitsWith: .failure) { _ = OperationID(worker: 1024, sequence: 0) }
        await #expect(processExitsWith: .failure) { _ = OperationID(worker: 0, sequence: 1 << 38) }
    }
}
