package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/schema"
)

// LostError says that fingerprints of a day are no longer in the rows topic: its next export may publish rows again.
type LostError struct {
	Day  DayName
	Rows int                 // of the day whose fingerprints are gone
	Have *cluster.RangeError // what the topic has of a range that is gone; nil when something else stands there
}

func (e *LostError) Error() string {
	text := fmt.Sprintf("the fingerprints of %d rows of %s %s are gone from the ledger", e.Rows, e.Day.Stream, e.Day.Day)
	if e.Have != nil {
		text += ": " + e.Have.Error()
	}
	return text
}

// LoadSet reads a day's fingerprints from the ranges that its record names. Fewer than the day has rows and dead letters are a
// *LostError, with the set of what is left.
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
	var have *cluster.RangeError
	for _, r := range disjoint(d.Fingerprints) {
		at.Partition = int(r[0])
		log, err := b.Cluster.Log(ctx, at)
		if err != nil {
			return nil, fmt.Errorf("load the fingerprints of %s %s: %w", n.Stream, n.Day, err)
		}
		from, to := max(r[1], log.Start), min(r[2], log.End)
		if from != r[1] || to != r[2] {
			have = &cluster.RangeError{Topic: b.Rows, Partition: at.Partition, From: r[1], To: r[2], Start: log.Start, End: log.End}
		}
		if err := b.Cluster.Read(ctx, at, from, to, visitor); err != nil {
			return nil, fmt.Errorf("load the fingerprints of %s %s: %w", n.Stream, n.Day, err)
		}
	}
	if rows := max(0, d.Published+d.Bad-set.Rows()); rows > 0 || have != nil {
		return set, &LostError{Day: n, Rows: rows, Have: have}
	}
	return set, nil
}

// disjoint are the ranges with none twice: those of a topic that was made anew may lie upon older ones, and what is in both must not
// count as two copies.
func disjoint(ranges []Range) []Range {
	sorted := slices.SortedFunc(slices.Values(ranges), func(a, b Range) int { return slices.Compare(a[:], b[:]) })
	var all []Range
	for _, r := range sorted {
		if n := len(all); n > 0 && all[n-1][0] == r[0] && r[1] < all[n-1][2] {
			all[n-1][2] = max(all[n-1][2], r[2])
			continue
		}
		all = append(all, r)
	}
	return all
}
