package e2e

import (
	"encoding/json"
	"testing"

	"dfinery-kafka/connector/exporttest"
)

// TestCommandsInOrder: commands that waited for an owner are carried out in the order in which they were given.
func TestCommandsInOrder(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Data: exporttest.Data{Seed: 43, RowsPerDay: 10}})
	b.once(0)
	for n := range 5 {
		for range 2 {
			b.command(nil, "pause", "events", "--wait", "0")
			b.command(nil, "resume", "events", "--wait", "0")
		}
		b.once(0)
		out, _ := b.run("status", "--json")
		var status struct{ Streams []struct{ Paused bool } }
		if err := json.Unmarshal([]byte(out), &status); err != nil {
			t.Fatal(err)
		}
		if status.Streams[0].Paused {
			t.Fatalf("round %d: the stream is paused, although the last command was to resume it", n+1)
		}
	}
}
