package app_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/ledger"
)

// TestCommandsWithinTwoSeconds: whenever a command is given, the owner has carried it out and entered it into the ledger 2 s later.
func TestCommandsWithinTwoSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &exporttest.Server{Data: exporttest.Data{Seed: 4, RowsPerDay: 10}})
		w.config.Streams[0].Start.Back = 1
		a := w.through(&gate{dial: w.net.dial, after: -1}, false)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := a.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		defer running.Wait()
		defer stop()
		books := ledger.Books{Cluster: a.Service.Cluster, Topic: "ledger", Rows: "ledger.rows", Service: "1234"}
		time.Sleep(time.Minute)
		for n := range 20 {
			time.Sleep(time.Duration(n) * 137 * time.Millisecond) // at all times between two looks
			verb := []string{"pause", "resume"}[n%2]
			given := time.Now()
			c := ledger.Command{ID: fmt.Sprint(n), Service: "1234", Verb: verb, Stream: "events", Given: given.UTC()}
			if err := books.Give(ctx, &c); err != nil {
				t.Fatal(err)
			}
			var done *ledger.Command
			if err := books.Watch(ctx, c.ID, 10*time.Millisecond, func(c *ledger.Command) bool {
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
