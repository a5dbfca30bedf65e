import RigModel
import Testing

@Test(
    "What was meant is found by few wrong letters, or by its beginning, where that is one name's alone",
    arguments: [
        ("--sede", "--seed"), ("--res", "--resolved"), ("--allow", "--allow-remote"), ("--se", "--set"),
        ("-R", "--resolved"),
        ("--s", nil), ("--x", nil), ("--", nil), ("", nil), ("resolution", nil),
    ] as [(String, String?)])
func nearestNameIsTheOneThatWasMeant(_ word: String, _ name: String?) {
    #expect(NearestName.of(word, in: ["--set", "--seed", "--resolved", "--allow-remote"]) == name)
}
