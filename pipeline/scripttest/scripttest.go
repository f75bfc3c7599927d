// Package scripttest runs scripts: files with commands, each followed by "----" and all of its
// output up to an empty line. A line that begins with # is a comment. Only tests import it.
package scripttest

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Files runs each file that matches the pattern as a subtest. The test fails if play, called
// with the file's text, returns another; with update the file is rewritten instead.
func Files(t *testing.T, pattern string, update bool, play func(t *testing.T, text string) string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(want))
			if update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Play returns the script with the output that its commands have now. run executes a command,
// given by its words, and returns its output.
func Play(text string, run func(words []string) string) string {
	var out strings.Builder
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		fmt.Fprintln(&out, line)
		if line == "" || line[0] == '#' {
			continue
		}
		for lines.Scan() && lines.Text() != "" { // the former output
		}
		fmt.Fprintf(&out, "----\n%s\n", run(strings.Fields(line)))
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}
