import ConnectionPool
import RigModel
import Testing

@testable import PostgresDriver

@Suite(.timeLimit(.minutes(15)))
struct StatementPlanTests {
    @Test func planOfASlowStatementIsShownAndTheStatementNotRun() async throws {
        try await withPostgres { fixture in
            let connection = fixture.observer
            try await connection.run("create temp table t (id int primary key, v text)")
            try await connection.run("insert into t select g, 'x' from generate_series(1, 10000) g")
            try await connection.run("analyze t")
            let version = connection.serverVersion
            #expect(version >= 120_000)
            let explain = try #require(
                StatementPlan.explain("delete from t where id = $1", [.int(7)], serverVersion: version))
            let plan = StatementPlan.text(in: try await connection.execute(explain, deadline: .soon))
            #expect(plan.contains("Delete on t"))
            #expect(plan.contains("id = 7"))
            #expect(try await connection.run("select count(*) from t", role: .read).rows == [[.int(10000)]])
        }
    }

    @Test func valuesThatAreNotKnownNeedANewServer() {
        let text = "select * from t where id = $1"
        #expect(StatementPlan.explain(text, nil, serverVersion: 150_018) == nil)
        #expect(
            StatementPlan.explain(text, nil, serverVersion: 160_000)?.text == "EXPLAIN (GENERIC_PLAN) " + text)
        #expect(StatementPlan.explain("select 1", nil, serverVersion: 150_018)?.text == "EXPLAIN select 1")
    }

    @Test func statementsWithoutAPlanHaveNone() {
        for text in ["begin", "create table t ()", "copy t from stdin", "", "vacuum"] {
            #expect(StatementPlan.explain(text, [], serverVersion: 150_018) == nil)
        }
    }
}
