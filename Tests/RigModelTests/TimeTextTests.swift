import RigModel
import Testing

@Test(arguments: [
    (0, "0 ns"), (999, "999 ns"), (1_000, "1 µs"), (41_300, "41.3 µs"), (999_499, "999 µs"), (999_500, "1 ms"),
    (1_250_000, "1.25 ms"), (250_000_000, "250 ms"), (999_600_000, "1 s"), (2_000_000_000, "2 s"),
    (2_050_000_000, "2.05 s"), (12_340_000_000, "12.3 s"), (59_940_000_000, "59.9 s"), (59_960_000_000, "1 min"),
    (65_000_000_000, "1 min 5 s"), (3_600_000_000_000, "1 h"), (7_380_000_000_000, "2 h 3 min"),
    (-1_500_000, "-1.5 ms"), (Int64.min, "-2562047 h 47 min"),
])
func durationIsWrittenAsAPersonWould(_ nanoseconds: Int64, _ words: String) {
    #expect(TimeText.words(nanoseconds: nanoseconds) == words)
}

@Test func secondsAreWrittenTheSameWayAndNonsenseDoesNotTrap() {
    #expect(TimeText.words(seconds: 0.31) == "310 ms")
    #expect(TimeText.words(seconds: .infinity) == "0 ns")
}
