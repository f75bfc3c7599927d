package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/schema"
)

// addSettledDays adds settled days to the ledger of a service that has run before, each with its
// rows and their fingerprints. Then it runs the service, so that a checkpoint confirms them.
func (b *testbed) addSettledDays(today schema.Day, days, rows int) {
	b.t.Helper()
	random := rand.NewChaCha8([32]byte{1})
	var records []*kgo.Record
	at := b.recordsIn("ledger.rows")
	for day := today - schema.Day(days); day < today; day++ {
		from := at
		for left := rows; left > 0; at++ {
			value := make([]byte, 16*min(left, store.RowsPerRecord))
			_, _ = random.Read(value)
			left -= len(value) / 16
			b.put("ledger.rows", &kgo.Record{Key: []byte("1234/events/" + day.String()), Value: value,
				Headers: []kgo.RecordHeader{{Key: "generation", Value: []byte("1")}}})
		}
		now := time.Now().UTC()
		value, err := json.Marshal(ledger.Day{State: ledger.Settled, Exports: 1, Published: rows, Rows: rows, FirstExport: &now, LastExport: &now, LastSuccess: &now,
			Final: true, Generation: 1, LastLook: true, Fingerprints: []ledger.Range{{0, from, at}}})
		if err != nil {
			b.t.Fatal(err)
		}
		records = append(records, &kgo.Record{Key: []byte("day/1234/events/" + day.String()), Value: value})
	}
	b.runOnce(0)
	b.put("ledger", records...)
}

// timeToFirstExport starts the program and returns the time until it has published a row.
func (b *testbed) timeToFirstExport() time.Duration {
	b.t.Helper()
	before, began := b.recordsIn("events"), time.Now()
	p := b.start("run")
	p.await(exported)
	took := time.Since(began)
	p.kill()
	if b.recordsIn("events") <= before {
		b.t.Error("nothing is published")
	}
	return took
}

// TestOwner_StartAfterSettledDays starts with 30 settled days in the ledger: none of their
// fingerprints are read. START_ROWS makes the days larger than 20,000 rows. The times from the
// start to the first row with and without these days are logged.
func TestOwner_StartAfterSettledDays(t *testing.T) {
	t.Parallel()
	const days = 30
	rows := number(t, "START_ROWS", 20_000)
	var reads atomic.Int64    // fetches of the settled days' fingerprints
	var from, to atomic.Int64 // their offsets
	var late atomic.Int64
	api := &exporttest.Server{Limits: exporttest.Limits{PerHour: -1},
		Data: exporttest.Data{Seed: 91, RowsOn: func(schema.Day) int { return 1000 + int(late.Load()) }}}
	var b *testbed
	var fake *kfake.Cluster
	if os.Getenv("KAFKA_TEST_BROKERS") != "" {
		b = newTestbed(t, api)
	} else {
		b, fake = newScripted(t, api)
		fake.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
			fake.KeepControl()
			for _, topic := range r.(*kmsg.FetchRequest).Topics {
				if topic.Topic == b.prefix+"ledger.rows" && topic.Partitions[0].FetchOffset >= from.Load() && topic.Partitions[0].FetchOffset < to.Load() {
					reads.Add(1)
				}
			}
			return nil, nil, false
		})
	}
	b.unlimited()
	b.environ["STREAM_EVENTS_START"], b.environ["STREAM_EVENTS_LOOKBACK"], b.environ["STREAM_EVENTS_POLL_INTERVAL"] = "0", "0", "20ms"
	today := currentDay()
	b.runOnce(0)
	late.Add(100)
	alone := b.timeToFirstExport()

	from.Store(b.recordsIn("ledger.rows"))
	to.Store(from.Load() + int64(days*((rows+store.RowsPerRecord-1)/store.RowsPerRecord)))
	b.addSettledDays(today, days, rows)
	b.environ["STREAM_EVENTS_START"] = fmt.Sprint(days)
	late.Add(100)
	before := reads.Load()
	behind := b.timeToFirstExport()
	t.Logf("first export ended %s after the start, and %s with %d settled days of %d rows", alone.Round(time.Millisecond), behind.Round(time.Millisecond), days, rows)
	if fake != nil && reads.Load() > before {
		t.Errorf("%d reads of fingerprints of settled days, want none", reads.Load()-before)
	}
	state := b.ledgerState()
	n := 0
	for name, d := range state.Days {
		if name.Day < today && d.State == ledger.Settled && d.Published == rows {
			n++
		}
	}
	if n != days {
		t.Errorf("%d settled days, want %d", n, days)
	}
}
