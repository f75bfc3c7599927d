package e2e

import (
	"encoding/json"
	"testing"
	"time"
)

// status has the members of "status --json" and /status that the tests read.
type status struct {
	Service string `json:"service_id"`
	Role    string
	Ready   bool
	Breaker struct{ Until time.Time }
	Streams []struct {
		Name      string
		Paused    bool
		Published int
		Next      struct {
			At       time.Time
			WaitsFor string `json:"waits_for"`
		}
		Days []statusDay
	}
	Commands []struct{ Verb string }
}

type statusDay struct {
	Day          string
	State        string
	Rows         int
	Published    int
	Exports      int
	Bad, Missing int
}

// status returns the output of "status --json".
func (b *testbed) status() status {
	b.t.Helper()
	out, got := b.run("status", "--json")
	if got.Code != 0 {
		b.t.Fatalf("status: exit %d:\n%s", got.Code, got.Stderr)
	}
	return decodeStatus(b.t, out)
}

func decodeStatus(t *testing.T, text string) status {
	t.Helper()
	var s status
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	return s
}

// dayStates returns the states of the stream's days in "status --json".
func (b *testbed) dayStates() map[string]string {
	b.t.Helper()
	states := map[string]string{}
	for _, d := range b.status().Streams[0].Days {
		states[d.Day] = d.State
	}
	return states
}
