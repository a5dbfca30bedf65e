import Testing

@testable import FaultProxy

@Suite struct CommitTextTests {
    @Test(arguments: [
        "commit", "COMMIT;", "  Commit\t;\n;", "commit\n", "/* a /* b */ c */ COMMIT", "-- x\nCOMMIT", "commit--x",
        "commit/**/",
        ";;commit", "END", "end work", "commit transaction and no chain", "BEGIN; insert into t values (1); COMMIT",
        "insert into t values ('a;b''c', E'\\';', \"x;\", $a$; select $b$ $a$); end", "select $1; commit",
        "create table t (a int); insert into t values (1); commit", "create temp table t (a int); end;",
        "create function f() returns int begin atomic select case when true then 1 end; select 2; end; commit",
        "select E'it''s \\'; x'; commit", "select E'\\'''';commit", "select 1 where a LIKE'x\\'; commit",
        "select 'x\\'; commit",
        "select \"a\"\"';\"; commit",
    ])
    func aCommitAtTheEndIsSeen(text: String) {
        #expect(CommitText.endsWithCommit(text))
    }

    @Test(arguments: [
        "", ";", "commits", "end_of_day()", "rollback", "select 1 -- commit", "/* commit", "commit; select 1",
        "'commit'",
        "commit prepared 'x'", "COMMIT /* of */ PREPARED 'x'", "select 'a; commit", "select $x$; commit", "\"commit\"",
        "create function f() returns int begin atomic select 1; end",
        "create or replace function f() returns int begin atomic select 1; select case when true then 1 end; end;",
        "commit; create function f() returns int begin atomic select 1; end",
        "select e'\\'; commit'", "select E'it''s \\'; commit'", "select 'it''s; commit'",
    ])
    func whatEndsWithSomethingElseIsNoCommit(text: String) {
        #expect(!CommitText.endsWithCommit(text))
    }
}
