package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/recovery"
	"dfinery-kafka/pipeline/transfer"
)

// publishedRows loads the published rows of a day, for its next export. What the ledger has lost
// of them is read from the topics.
type publishedRows struct {
	ledger      *store.Ledger
	streams     []transfer.Stream
	location    *time.Location
	deadLetters string
	partitions  *partitions
	log         *slog.Logger
}

// LoadSet is store.Ledger's LoadSet. For a day in reach the rows of a *store.LostError are those
// that the topics lack as well. Nothing of the day may be in flight.
func (p *publishedRows) LoadSet(ctx context.Context, name ledger.DayName, d *ledger.Day) (*dedup.Set, error) {
	set, err := p.ledger.LoadSet(ctx, name, d)
	lost, ok := errors.AsType[*store.LostError](err)
	if !ok || lost.Rows == 0 || name.Day < oldestRecovered(p.location) {
		return set, err
	}
	topic := transfer.Named(p.streams, name.Stream).Topic
	partitions := slices.DeleteFunc(p.partitions.recovered(p.streams), func(at recordbatch.TopicPartition) bool {
		return at.Topic != topic && at.Topic != p.deadLetters
	})
	added, err := recovery.AddDay(ctx, p.ledger.Cluster, recovery.Plan{
		Service: p.ledger.Service, Topics: map[string]string{name.Stream: topic}, Letters: p.deadLetters, Partitions: partitions,
		Since: name.Day.Start(p.location).Add(-clockDifference),
	}, name, d.From, set)
	if err != nil {
		return nil, err
	}
	if added > 0 {
		p.log.Warn("fingerprints of this day were missing from the ledger and are read from the topics", "stream", name.Stream, "day", name.Day,
			"rows", added, "do", "find out who deleted records of "+p.ledger.Rows+", or the topic: only this program may delete there")
	}
	lost.Rows = max(0, d.Published+d.Bad-set.Rows())
	return set, lost
}

// clockDifference is by how much the timestamps of a day's records may be too low: for wrong
// clocks, and time zones.
const clockDifference = 2 * 24 * time.Hour
