package app_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/schema"
)

// TestReplayReadsRowsOnce: a replay parses the copy of each row once, and the columns of their
// header once.
func TestReplayReadsRowsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bad := []exporttest.BadRow{{After: 1, Kind: exporttest.FewerFields}, {After: 2, Kind: exporttest.MoreFields}, {After: 3, Kind: exporttest.BareQuote}}
		w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 5, RowsPerDay: 10}, Faults: func(exporttest.Call) *exporttest.Fault {
			return &exporttest.Fault{BadRows: bad}
		}})
		w.config.Streams[0].Start.Back = 0
		a := w.through(&gate{dial: w.net.Dial, after: -1}, false)
		var read atomic.Int64
		parse := a.Service.Parse
		a.Service.Parse = func(columns *schema.Columns, raw []byte) (*schema.Row, error) {
			read.Add(1)
			return parse(columns, raw)
		}
		defer w.start(a)()
		time.Sleep(time.Minute)
		c := &ledger.Command{ID: "1", Service: "1234", Verb: "replay", Stream: "events", Given: time.Now().UTC()}
		for _, r := range w.records("dead") {
			c.Letters = append(c.Letters, [2]int64{int64(r.Partition), r.Offset})
		}
		stored := store.Ledger{Cluster: a.Service.Cluster, Topic: "ledger", Rows: "ledger.rows", Service: "1234"}
		if err := stored.Submit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		result := ""
		if err := stored.Watch(t.Context(), c, time.Second, func(c *ledger.Command) bool {
			result = c.Result + c.Error
			return c.Done == nil
		}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff("0 rows published, 0 were published already, 3 are still bad, 0 days exported again", result); diff != "" {
			t.Errorf("result (-want +got):\n%s", diff)
		}
		if n := read.Load(); n != int64(len(bad)) {
			t.Errorf("%d rows were read %d times", len(bad), n)
		}
	})
}
