package schedule

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/ledger"
)

var allStates = []ledger.DayState{ledger.Pending, ledger.Open, ledger.Settled, ledger.Gap}

// TestReadme compares the diagram and the table of states in the README with moves.
// -update rewrites them.
func TestReadme(t *testing.T) {
	const file = "../README.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := string(page)
	for name, want := range map[string]string{"day states": diagram(), "day moves": table()} {
		begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
		before, rest, ok := strings.Cut(got, begin)
		_, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("%s has no markers for the %s", file, name)
		}
		got = before + begin + want + end + after
	}
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(page), got); diff != "" {
		t.Errorf("%s (-got +want):\n%s", file, diff)
	}
}

func (s state) String() string {
	if s.DayState == ledger.Settled && !s.final {
		return "settled, not final"
	}
	return string(s.DayState)
}

// diagram returns moves as a Mermaid diagram, with all causes of a transition in one line.
func diagram() string {
	var b strings.Builder
	b.WriteString("```mermaid\nstateDiagram-v2\n    [*] --> pending\n")
	for _, from := range allStates {
		for _, to := range allStates {
			var why []string
			for _, c := range causes {
				if is, ok := moves[c.cause][from]; ok && is.DayState == to && from != to {
					why = append(why, string(c.cause))
				}
			}
			if len(why) > 0 {
				fmt.Fprintf(&b, "    %s --> %s: %s\n", from, to, strings.Join(why, ", "))
			}
		}
	}
	return b.String() + "```\n"
}

// table returns moves as a Markdown table with one line for each cause.
func table() string {
	var b strings.Builder
	b.WriteString("| what happens | |")
	for _, from := range allStates {
		fmt.Fprintf(&b, " %s |", from)
	}
	b.WriteString("\n|---|---|---|---|---|---|\n")
	for _, c := range causes {
		fmt.Fprintf(&b, "| %s | %s |", c.cause, c.meaning)
		for _, from := range allStates {
			cell := ""
			if to, ok := moves[c.cause][from]; ok {
				cell = to.String()
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// TestTransitionsAreScripted: scripts name exactly the transitions of the README's table.
func TestTransitionsAreScripted(t *testing.T) {
	page, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(page), "<!-- transitions -->\n")
	text, _, ok2 := strings.Cut(text, "<!-- /transitions -->")
	if !ok || !ok2 {
		t.Fatal("the README has no table of transitions")
	}
	var rows, named []string
	for _, m := range regexp.MustCompile(`(?m)^\| ([a-z]+[0-9]+) \|`).FindAllStringSubmatch(text, -1) {
		rows = append(rows, m[1])
	}
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		script, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, list := range regexp.MustCompile(`(?m)^# .*?\[([a-z0-9 ]+)\]`).FindAllStringSubmatch(string(script), -1) {
			named = append(named, strings.Fields(list[1])...)
		}
	}
	slices.Sort(rows)
	slices.Sort(named)
	if len(rows) != len(slices.Compact(slices.Clone(rows))) {
		t.Errorf("a transition is listed twice: %v", rows)
	}
	if diff := cmp.Diff(rows, slices.Compact(named)); diff != "" {
		t.Errorf("transitions (-in the README +in the scripts):\n%s", diff)
	}
}

// TestMoves applies every cause to every state, and compares the result with moves.
func TestMoves(t *testing.T) {
	for _, c := range causes {
		for _, from := range allStates {
			for _, final := range []bool{false, true} {
				d := &Day{record: ledger.Day{State: from, Final: final}}
				moved := d.move(c.cause)
				want, named := moves[c.cause][from]
				if !named {
					want = state{from, final}
				}
				if got := (state{d.record.State, d.record.Final}); got != want || moved != (want != state{from, final}) || d.changed != moved {
					t.Errorf("%s: %s, final %t, becomes %v, moved %t, changed %t", c.cause, from, final, got, moved, d.changed)
				}
			}
		}
	}
	if len(causes) != len(moves) {
		t.Errorf("%d causes, %d in moves", len(causes), len(moves))
	}
}
