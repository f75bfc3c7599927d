package e2e

import (
	"context"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
)

// books is the ledger as the program left it.
func (b *bench) books() (*ledger.Books, *ledger.State) {
	b.t.Helper()
	topic := b.prefix + "ledger"
	kafka, err := cluster.New(cluster.Config{Brokers: strings.Split(b.brokers, ","), Topics: []string{topic, topic + ".rows"}})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(kafka.Close)
	books := &ledger.Books{Cluster: kafka, Topic: topic, Rows: topic + ".rows", Service: "1234"}
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	state, err := books.Load(ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	return books, state
}

// balanced checks that each day's fingerprints are those of its rows, each once: a fingerprint too many would take a later copy of its
// row for published. What the records count of rows is what the topic has.
func (b *bench) balanced() {
	b.t.Helper()
	published := map[string]int{}
	for _, m := range b.consume(b.prefix+"events", kgo.ReadUncommitted()) {
		published[m.Export[:strings.LastIndex(m.Export, "/")]]++
	}
	for name, day := range b.known() {
		if n := published["1234/"+name.Stream+"/"+name.Day.String()]; name.Stream == "events" && n != day.Published {
			b.t.Errorf("%s %s has %d rows in the topic, its record says %d", name.Stream, name.Day, n, day.Published)
		}
	}
}

// known are the days' records, each with as many fingerprints as it has rows and dead letters.
func (b *bench) known() map[ledger.DayName]*ledger.Day {
	b.t.Helper()
	books, state := b.books()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	for name, day := range state.Days {
		set, err := books.LoadSet(ctx, name, day)
		if err != nil {
			b.t.Fatal(err)
		}
		if diff := cmp.Diff(day.Published+day.Bad, set.Rows()); diff != "" {
			b.t.Errorf("fingerprints of %s %s (-rows and dead letters of the day's record +fingerprints loaded):\n%s", name.Stream, name.Day, diff)
		}
	}
	return state.Days
}
