package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/schema"
)

// LostError says that fingerprints of a day are no longer in the rows topic: its next export may publish rows again.
type LostError struct {
	Day  DayName
	Have *cluster.RangeError
}

func (e *LostError) Error() string {
	return fmt.Sprintf("fingerprints of %s %s are gone from the ledger: %v", e.Day.Stream, e.Day.Day, e.Have)
}

// LoadSet reads a day's fingerprints from the ranges that its record names. Ranges that are gone are a *LostError, with the set of
// what is left.
func (b *Books) LoadSet(ctx context.Context, n DayName, d *Day) (*Set, error) {
	set := new(Set)
	set.Grow(d.Published + d.Bad)
	key := b.Service + "/" + n.Stream + "/" + n.Day.String()
	at := cluster.TopicPartition{Topic: b.Rows}
	visitor := cluster.Visitor{Record: func(r *cluster.Record) error {
		if string(r.Key) != key {
			return nil
		}
		if generation, _ := strconv.Atoi(string(r.Header("generation"))); generation != d.Generation {
			return nil
		}
		if len(r.Value)%len(schema.Fingerprint{}) != 0 {
			return &RecordError{Topic: b.Rows, Partition: at.Partition, Offset: r.Offset, Key: key, Err: errors.New("its length is not a number of fingerprints")}
		}
		set.addAll(r.Value)
		return nil
	}}
	var lost error
	for _, r := range d.Fingerprints {
		at.Partition = int(r[0])
		logs, err := b.Cluster.Offsets(ctx, at)
		if err == nil {
			err = logs[0].Err
		}
		if err != nil {
			return nil, fmt.Errorf("load the fingerprints of %s %s: %w", n.Stream, n.Day, err)
		}
		from, to := max(r[1], logs[0].Start), min(r[2], logs[0].End)
		if from != r[1] || to != r[2] {
			lost = &LostError{Day: n, Have: &cluster.RangeError{Topic: b.Rows, Partition: at.Partition, From: r[1], To: r[2], Start: logs[0].Start, End: logs[0].End}}
		}
		if err := b.Cluster.Read(ctx, at, from, to, visitor); err != nil {
			return nil, fmt.Errorf("load the fingerprints of %s %s: %w", n.Stream, n.Day, err)
		}
	}
	return set, lost
}
