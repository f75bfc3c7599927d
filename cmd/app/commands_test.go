package app_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
)

// TestCommandsWithinTwoSeconds: a command is executed, and its result is in the ledger, within
// 2 s after it was submitted.
func TestCommandsWithinTwoSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 4, RowsPerDay: 10}})
		w.config.Streams[0].Start.Back = 1
		a := w.through(&gate{dial: w.net.Dial, after: -1}, false)
		defer w.start(a)()
		stored := store.Ledger{Cluster: a.Service.Cluster, Topic: "ledger", Rows: "ledger.rows", Service: "1234"}
		time.Sleep(time.Minute)
		for n := range 20 {
			time.Sleep(time.Duration(n) * 137 * time.Millisecond) // at different times between two polls
			verb := []string{"pause", "resume"}[n%2]
			given := time.Now()
			c := ledger.Command{ID: fmt.Sprint(n), Service: "1234", Verb: verb, Stream: "events", Given: given.UTC()}
			if err := stored.Submit(t.Context(), &c); err != nil {
				t.Fatal(err)
			}
			var done *ledger.Command
			if err := stored.Watch(t.Context(), &c, 10*time.Millisecond, func(c *ledger.Command) bool {
				done = c
				return c.Done == nil && time.Since(given) < time.Minute
			}); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(given); done.Done == nil || done.Error != "" || took > 2*time.Second {
				t.Errorf("%s: after %s %+v", verb, took, done)
			}
		}
	})
}
