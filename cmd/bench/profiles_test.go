package main_test

import (
	"regexp"
	"testing"
)

func TestProfiles(t *testing.T) {
	t.Parallel()
	table, said, err := run(t, "profiles", "--kfake", "--profiles", "3000", "--binary", connector(t))
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	for _, name := range []string{"first", "known", "again"} {
		if !regexp.MustCompile(`(?m)^\| ` + name + ` \| \d+ \| [\d.]+ s \| \d+ \|$`).MatchString(table) {
			t.Errorf("no line of the %s snapshot:\n%s", name, table)
		}
	}
}
