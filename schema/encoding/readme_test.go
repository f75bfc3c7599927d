package encoding

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the table of the README")

// TestREADME compares the README's table of accepted and refused cells with that of
// TestType_Accepts. -update rewrites it.
func TestREADME(t *testing.T) {
	const path, from, to = "../README.md", "<!-- types: go test ./schema/encoding -run README -update -->\n", "<!-- /types -->\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), from)
	table, after, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		t.Fatalf("%s has no markers %q and %q for the types", path, from, to)
	}
	want := "\n" + typesTable() + "\n"
	if table == want {
		return
	}
	if !*update {
		t.Fatalf("%s is out of date (-want +got), rewrite it with go test ./schema/encoding -run README -update:\n%s", path, cmp.Diff(want, table))
	}
	if err := os.WriteFile(path, []byte(before+from+want+to+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

func typesTable() string {
	var b strings.Builder
	b.WriteString("| type | accepts | refuses |\n|---|---|---|\n")
	for _, test := range cells {
		b.WriteString("| `" + test.types + "` | " + listCells(test.accepted) + " | " + listCells(test.refused) + " |\n")
	}
	return b.String()
}

// listCells returns the cells that fit into one line of a table.
func listCells(list []string) string {
	var shown []string
	for _, cell := range list {
		if cell != "" && len(cell) <= 45 && !strings.ContainsFunc(cell, func(c rune) bool { return c < ' ' || c == '`' || c == '|' }) {
			shown = append(shown, "`` "+cell+" ``")
		}
	}
	return strings.Join(shown, " ")
}
