package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/schema"
)

// mixed returns a CSV whose rows repeat a pattern: g is a good row, f one with too few fields,
// k one without key.
func mixed(pattern string, rows int) (text string, good []row) {
	var b strings.Builder
	b.WriteString("df_unified_id,v\n")
	for i := range rows {
		switch pattern[i%len(pattern)] {
		case 'g':
			fmt.Fprintf(&b, "u%d,%d\n", i, i)
			good = append(good, newRow([]cell{{"df_unified_id", fmt.Sprintf("u%d", i)}, {"v", fmt.Sprint(i)}}))
		case 'f':
			fmt.Fprintf(&b, "u%d,%d,%s\n", i, i, canary) // deadLetters fails the test if a letter contains it
		case 'k':
			fmt.Fprintf(&b, ",%d\n", i)
		}
	}
	return b.String(), good
}

// TestBadRows_TooMany exports days with many bad rows. Up to STREAM_X_MAX_BAD each has a dead
// letter; beyond it the export has one, and the stream is halted.
func TestBadRows_TooMany(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pattern string
		rows    int
		limit   string // STREAM_EVENTS_MAX_BAD; empty: the default
		letters map[schema.Code]int
		good    int // rows that must be published; -1: all
	}{
		"half":                          {"gf", 2000, "", map[schema.Code]int{schema.FieldCount: 1000}, -1},
		"more than half":                {"gff", 2000, "", map[schema.Code]int{schema.BadRows: 1}, 334},
		"more, but few rows":            {"gff", 999, "", map[schema.Code]int{schema.FieldCount: 666}, -1},
		"more than a lower limit":       {"gggggggggf", 2000, "9.5%", map[schema.Code]int{schema.BadRows: 1}, 900},
		"no limit":                      {"gff", 2000, "off", map[schema.Code]int{schema.FieldCount: 1333}, -1},
		"more only later":               {strings.Repeat("g", 700) + strings.Repeat("f", 1300), 2000, "", map[schema.Code]int{schema.FieldCount: 700, schema.BadRows: 1}, 700},
		"rows without key do not count": {"gkk", 1500, "", map[schema.Code]int{schema.EmptyKey: 1000}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, good := mixed(c.pattern, c.rows)
			b, reply := newAnswering(t, func(int, int) answer { return csvOf("text/csv", text) })
			b.set("STREAM_EVENTS_START", "0", "STREAM_EVENTS_POLL_INTERVAL", "10ms")
			if c.limit != "" {
				b.set("STREAM_EVENTS_MAX_BAD", c.limit)
			}
			refused := c.letters[schema.BadRows] > 0
			code := map[bool]int{false: 0, true: 3}[refused]
			log := b.runOnce(code)
			if c.good >= 0 {
				good = good[:c.good]
			}
			compareRows(t, good, b.published("events"))
			if diff := cmp.Diff(c.letters, b.deadLettersByCode()); diff != "" {
				t.Errorf("dead letters (-want +got):\n%s", diff)
			}
			if !refused {
				b.runOnce(0)
				compareRows(t, good, b.published("events"))
				if diff := cmp.Diff(c.letters, b.deadLettersByCode()); diff != "" {
					t.Errorf("dead letters after a second export (-want +got):\n%s", diff)
				}
				return
			}
			expectText(t, log, `"msg":"stream is halted`, "STREAM_EVENTS_MAX_BAD")
			for _, l := range b.deadLetters() {
				if l.Error.Code == schema.BadRows && (len(l.Rows) != 10 || l.Rows[0].Raw != fmt.Sprintf("u%d,%d,[redacted]", l.Rows[0].Line-2, l.Rows[0].Line-2) || !l.Redacted) {
					t.Errorf("examples: %+v", l.Rows)
				}
			}

			// Once the source is corrected, its good rows are published.
			corrected, all := mixed("g", c.rows)
			reply(func(int, int) answer { return csvOf("text/csv", corrected) })
			b.command(nil, "resume", "events")
			b.runOnce(0)
			compareRows(t, all, b.published("events"))
		})
	}
}

// TestBadRows_Crash kills the program while dead letters of bad rows are held back, and checks
// that each is written once.
func TestBadRows_Crash(t *testing.T) {
	t.Parallel()
	text, good := mixed("ggf", 6000)
	b, _ := newAnswering(t, func(int, int) answer { return csvOf("text/csv", text) })
	b.set("STREAM_EVENTS_START", "0", "STREAM_EVENTS_POLL_INTERVAL", "10ms")
	for n, step := range []string{"called", "fingerprints", "checkpointed"} {
		b.crash(step, n+1, "run", "--once")
	}
	b.runOnce(0)
	compareRows(t, good, b.published("events"))
	if got := b.deadLettersByCode()[schema.FieldCount]; got != 2000 {
		t.Errorf("%d dead letters, want one for each of 2000 bad rows", got)
	}
}
