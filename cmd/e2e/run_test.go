package e2e

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestRunOnce exports three days; RUN_ROWS is how many rows each has.
func TestRunOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Data: exporttest.Data{Seed: 1, RowsPerDay: number(t, "RUN_ROWS", 3000), Odd: 0.1, Duplicates: 0.05}})
	_, got := b.run("run", "--once")
	if got.Code != 0 {
		t.Fatalf("exit %d:\n%s", got.Code, got.Stderr)
	}
	compare(t, b.served(schema.Event), b.published("events"))

	// All is known now: a second run adds nothing.
	before := b.published("events")
	if _, got = b.run("run", "--once"); got.Code != 0 {
		t.Fatalf("exit %d:\n%s", got.Code, got.Stderr)
	}
	if diff := cmp.Diff(len(before), len(b.published("events"))); diff != "" {
		t.Errorf("records after a second run: %s", diff)
	}
}
