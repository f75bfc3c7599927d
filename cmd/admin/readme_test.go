package admin_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/admin"
)

// The README's table of metrics is made from the code. With -update it is rewritten.
func TestREADME(t *testing.T) {
	const path, from, to = "../../deploy/README.md", "go test ./cmd/admin -run README -update -->\n", "<!-- /metrics -->\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), from)
	table, after, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the metrics between %q and %q", path, from, to)
	}
	want := "\n" + admin.Markdown() + "\n"
	if table == want {
		return
	}
	if !*update {
		t.Fatalf("%s is behind (-want +got), rewrite it with go test ./cmd/admin -run README -update:\n%s", path, cmp.Diff(want, table))
	}
	if err := os.WriteFile(path, []byte(before+from+want+to+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The README names all that /status may have.
func TestREADMEStatus(t *testing.T) {
	text, err := os.ReadFile("../../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "<!-- status: ")
	table, _, ok := strings.Cut(rest, "<!-- /status -->")
	if !ok {
		t.Fatal("the README has no table of /status")
	}
	full, err := os.ReadFile("testdata/status-owner.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile(`"([a-z_]+)":`).FindAllSubmatch(full, -1) {
		if !strings.Contains(table, "`"+string(match[1])+"`") {
			t.Errorf("the README does not say what %s in /status is", match[1])
		}
	}
}
