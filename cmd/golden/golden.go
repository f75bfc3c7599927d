// Package golden compares output with files in the repository. Only tests import it.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Update reports whether the flag -update is set: the test should rewrite its golden files.
func Update() bool { return *update }

// Compare fails the test if the file differs from the text. With -update it writes the file.
func Compare(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// Section fails the test if the part of the file between two marks differs from the text. With
// -update it replaces that part; the failure message names command for that.
func Section(t *testing.T, path, from, to, want, command string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), from)
	section, after, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		t.Fatalf("%s has no section between %q and %q", path, from, to)
	}
	if section == want {
		return
	}
	if !*update {
		t.Fatalf("%s is out of date (-want +got), rewrite it with %s:\n%s", path, command, cmp.Diff(want, section))
	}
	if err := os.WriteFile(path, []byte(before+from+want+to+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
