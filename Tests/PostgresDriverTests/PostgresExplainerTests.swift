import ConnectionPool
import RigModel
import Testing

@testable import PostgresDriver

@Suite(.timeLimit(.minutes(15)))
struct PostgresExplainerTests {
    @Test func planOfASlowStatementIsShownAndTheStatementNotRun() async throws {
        try await withPostgres { fixture in
            let connection = fixture.observer
            try await connection.run("create temp table t (id int primary key, v text)")
            try await connection.run("insert into t select g, 'x' from generate_series(1, 10000) g")
            try await connection.run("analyze t")
            #expect(connection.serverVersion >= 120_000)
            let explainer = PostgresExplainer()
            let slow = SQLStatement("delete from t where id = $1", [.int(7)], role: .write)
            let question = try #require(explainer.explain(slow))
            let plan = explainer.plan(in: try await connection.execute(question, deadline: .soon))
            #expect(plan.contains("Delete on t"))
            #expect(plan.contains("id = 7"))
            #expect(try await connection.run("select count(*) from t", role: .read).rows == [[.int(10000)]])
        }
    }

    @Test func statementsWithoutAPlanHaveNone() {
        for text in ["create table t ()", "copy t from stdin", "", "vacuum"] {
            #expect(PostgresExplainer().explain(SQLStatement(text, role: .write)) == nil)
        }
        #expect(PostgresExplainer().explain(.commit) == nil)
    }
}
