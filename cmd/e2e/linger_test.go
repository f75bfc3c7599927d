package e2e

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
)

// TestPausingSource: what came before a source stands still in the middle of its body, bad rows included, is in Kafka long before
// the next checkpoint. It is not sent again.
func TestPausingSource(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Data: exporttest.Data{Seed: 12, RowsPerDay: 300}})
	b.api.Inject(exporttest.Fault{Then: exporttest.Stall, AfterRow: 100, BadRows: []exporttest.BadRow{{After: 50, Kind: exporttest.FewerFields}}})
	b.environ["STREAM_EVENTS_START"], b.environ["CHECKPOINT_INTERVAL"], b.environ["DFINERY_IDLE_TIMEOUT"] = "0", "5m", "5m"
	p := b.start(binary, nil, "run")
	b.eventually(func() bool { return len(b.api.Calls()) > 0 })
	arrived := func() (rows, letters int) {
		return len(b.consume(b.prefix+"events", kgo.ReadUncommitted())), len(b.consume(b.prefix+"dead-letters", kgo.ReadUncommitted()))
	}
	b.eventually(func() bool { rows, letters := arrived(); return rows >= 100 && letters > 0 })
	type counts struct{ Rows, Letters int }
	rows, letters := arrived()
	if diff := cmp.Diff(counts{100, 1}, counts{rows, letters}); diff != "" {
		t.Errorf("in Kafka (-want +got):\n%s\n%s", diff, p.text())
	}
	p.kill()
	b.settle()
}
