import Testing

@testable import FaultProxy

@Suite struct CommitTextTests {
    @Test(arguments: [
        "commit", "COMMIT;", "  Commit\t;\n;", "commit\n", "/* a /* b */ c */ COMMIT", "-- x\nCOMMIT", "commit--x",
        "commit/**/",
        ";;commit", "END", "end work", "commit transaction and no chain", "BEGIN; insert into t values (1); COMMIT",
        "insert into t values ('a;b''c', E'\\';', \"x;\", $a$; select $b$ $a$); end", "select $1; commit",
    ])
    func aCommitAtTheEndIsSeen(text: String) {
        #expect(CommitText.endsWithCommit(text))
    }

    @Test(arguments: [
        "", ";", "commits", "end_of_day()", "rollback", "select 1 -- commit", "/* commit", "commit; select 1",
        "'commit'",
        "commit prepared 'x'", "COMMIT /* of */ PREPARED 'x'", "select 'a; commit", "select $x$; commit", "\"commit\"",
        "create function f() returns int begin atomic select 1; end",
        "select e'\\'; commit'",
    ])
    func whatEndsWithSomethingElseIsNoCommit(text: String) {
        #expect(!CommitText.endsWithCommit(text))
    }
}
