import RigModel
import Testing

@testable import ScenarioFile

@Suite struct PoolProcessTests {
    private func scenario(_ pool: String) -> String {
        "target: {postgres: managed}\npool: \(pool)\nworkload: {mix: {append: 1}}\n"
    }

    @Test("The pool is in the rig, unless the scenario says otherwise")
    func processIsRead() throws {
        #expect(try load(scenario("{}")).pool.process == .rig)
        #expect(try load(scenario("{process: child}")).pool.process == .child)
    }

    @Test("An adapter is a child, and comes through the resolved file unchanged")
    func adapterIsRead() throws {
        let scenario = try load(scenario(#"{adapter: [python3, "pool.py", "--size=$${N} x"]}"#))
        #expect(scenario.pool.process == .child)
        #expect(scenario.pool.adapter == ["python3", "pool.py", "--size=${N} x"])
        #expect(try load(ResolvedScenario.yaml(scenario)).pool == scenario.pool)
    }

    @Test(
        "What is no command is refused",
        arguments: [
            "{adapter: python3}", "{adapter: []}", "{adapter: [[a]]}", "{process: rig, adapter: [a]}", "{process: kid}",
        ])
    func badAdapterIsRefused(_ pool: String) {
        #expect(throws: ScenarioErrors.self) { try load(scenario(pool)) }
    }
}
