package e2e

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
)

// loadLedger reads the ledger.
func (b *testbed) loadLedger() (*store.Ledger, *ledger.State) {
	b.t.Helper()
	topic := b.prefix + "ledger"
	kafka, err := cluster.New(cluster.Config{Brokers: strings.Split(b.brokers, ","), Topics: []string{topic, topic + ".rows"}})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(kafka.Close)
	l := &store.Ledger{Cluster: kafka, Topic: topic, Rows: topic + ".rows", Service: "1234"}
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	state, err := l.Load(ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	return l, state
}

// ledgerState returns the state in the ledger.
func (b *testbed) ledgerState() *ledger.State {
	b.t.Helper()
	_, state := b.loadLedger()
	return state
}

// checkedDays returns the records of days. It checks that each has as many fingerprints as rows
// and dead letters: with one more, a later copy of its row would not be published.
func (b *testbed) checkedDays() map[ledger.DayName]*ledger.Day {
	b.t.Helper()
	l, state := b.loadLedger()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	for name, day := range state.Days {
		set, err := l.LoadSet(ctx, name, day)
		if err != nil {
			b.t.Fatal(err)
		}
		if diff := cmp.Diff(day.Published+day.Bad, set.Rows()); diff != "" {
			b.t.Errorf("fingerprints of %s %s (-rows and dead letters of the day's record +fingerprints loaded):\n%s", name.Stream, name.Day, diff)
		}
	}
	return state.Days
}

// checkLedger checks the fingerprints of all days, and compares the counts of rows in their
// records with the topic.
func (b *testbed) checkLedger() {
	b.t.Helper()
	published := map[string]int{}
	b.read("events", kgo.ReadUncommitted(), map[int32]int64{}, func(r *kgo.Record) {
		m := newMessage(r)
		published[m.day()]++
	})
	b.compareCounts(published)
}

// checkCounts is checkLedger with records that have been read already.
func (b *testbed) checkCounts(events []record) {
	b.t.Helper()
	published := map[string]int{}
	for _, m := range events {
		published[m.day()]++
	}
	b.compareCounts(published)
}

// compareCounts compares the counts in the records of days with the number of rows in the
// topic, by SERVICE/STREAM/DAY.
func (b *testbed) compareCounts(published map[string]int) {
	b.t.Helper()
	for name, day := range b.checkedDays() {
		if n := published["1234/"+name.Stream+"/"+name.Day.String()]; name.Stream == "events" && n != day.Published {
			b.t.Errorf("%s %s has %d rows in the topic, its record says %d", name.Stream, name.Day, n, day.Published)
		}
	}
}

// ledgerRecords returns the newest records of the ledger by key, with their members.
func (b *testbed) ledgerRecords() map[string]map[string]json.RawMessage {
	b.t.Helper()
	records := map[string]map[string]json.RawMessage{}
	for _, m := range b.consume("ledger", kgo.ReadUncommitted()) {
		members := map[string]json.RawMessage{}
		if err := json.Unmarshal([]byte(m.Value), &members); err != nil {
			b.t.Fatalf("%s: %v", m.Key, err)
		}
		records[m.Key] = members
	}
	return records
}

// crashBeforeCheckpoint publishes the rows of a day and kills the program before the checkpoint.
func (b *testbed) crashBeforeCheckpoint() {
	b.t.Helper()
	// The first checkpoint follows recovery, the second follows the export.
	b.startWith([]string{"FAULT_STEP=flushed", "FAULT_COUNT=2", "DFINERY_CONCURRENT_CALLS=1", "CHECKPOINT_INTERVAL=1h"}, "run").wait(time.Minute)
}
