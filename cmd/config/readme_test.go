package config_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/config"
)

// The README's table is what `dfinery-kafka config --markdown` prints. With -update it is rewritten.
func TestREADME(t *testing.T) {
	const path, from, to = "README.md", "-update -->\n", "<!-- /variables -->\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), from)
	table, after, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the variables between %q and %q", path, from, to)
	}
	want := "\n" + config.Markdown() + "\n"
	if table == want {
		return
	}
	if !*update {
		t.Fatalf("%s is behind (-want +got), rewrite it with go test ./cmd/config -run README -update:\n%s", path, cmp.Diff(want, table))
	}
	if err := os.WriteFile(path, []byte(before+from+want+to+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
