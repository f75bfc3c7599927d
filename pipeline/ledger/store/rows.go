package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// LostError reports that fingerprints of a day are no longer in the rows topic: its next export
// may publish rows again.
type LostError struct {
	Day  ledger.DayName
	Rows int                 // of the day whose fingerprints are lost
	Have *cluster.RangeError // what the topic has of a deleted range; nil if there are other records
}

func (e *LostError) Error() string {
	text := fmt.Sprintf("the fingerprints of %d rows of %s %s are missing from the ledger", e.Rows, e.Day.Stream, e.Day.Day)
	if e.Have != nil {
		text += ": " + e.Have.Error()
	}
	return text
}

// RowsPerRecord is the maximum number of fingerprints per record that is written to
// the rows topic. Readers accept any number.
const RowsPerRecord = 16_384

// The headers of a record of the rows topic.
const (
	headerGeneration = "generation"
	// headerCopies has the copy number of each fingerprint, as uvarints. Without
	// it each fingerprint is the lowest copy that no record before it has. A
	// release that does not know it counts each as one more copy.
	headerCopies = "copies"
)

// Save appends the unsaved rows of a day to the rows topic. The caller must flush.
func (w *Writer) Save(n ledger.DayName, generation int, day *dedup.Day) error {
	rows, numbered := day.Unsaved()
	chunk, copies := make(fingerprints, 0, RowsPerRecord), []byte(nil)
	write := func() error {
		if len(chunk) == 0 {
			return nil
		}
		headers := []recordbatch.Header{{Key: []byte(headerGeneration), Value: strconv.AppendInt(nil, int64(generation), 10)}}
		if len(copies) > 0 {
			headers = append(headers, recordbatch.Header{Key: []byte(headerCopies), Value: copies})
		}
		key := w.Ledger.rowsKey(n)
		if err := w.Rows.Append([]byte(key), chunk, headers); err != nil {
			return fmt.Errorf("write fingerprints of %s: %w", key, err)
		}
		chunk, copies = chunk[:0], copies[:0]
		return nil
	}
	for f := range rows {
		if chunk = append(chunk, f); len(chunk) == cap(chunk) {
			if err := write(); err != nil {
				return err
			}
		}
	}
	if err := write(); err != nil {
		return err
	}
	for c := range numbered {
		chunk, copies = append(chunk, c.Fingerprint), binary.AppendUvarint(copies, uint64(c.Number))
		if len(chunk) == cap(chunk) {
			if err := write(); err != nil {
				return err
			}
		}
	}
	return write()
}

// fingerprints is a record's value: 16 bytes each.
type fingerprints []schema.Fingerprint

// Append implements recordbatch.Value.
func (f fingerprints) Append(dst []byte) ([]byte, error) {
	for i := range f {
		dst = append(dst, f[i][:]...)
	}
	return dst, nil
}

// LoadSet reads a day's fingerprints from the ranges in its record. If there are fewer than the
// day has rows and dead letters, it returns a *LostError together with the set of the remaining
// ones.
func (l *Ledger) LoadSet(ctx context.Context, n ledger.DayName, d *ledger.Day) (*dedup.Set, error) {
	set := new(dedup.Set)
	set.Grow(d.Published + d.Bad)
	return l.loadRows(ctx, n, d, set, nil)
}

// LoadSome reads only the wanted fingerprints of a day. Its errors are those of LoadSet.
func (l *Ledger) LoadSome(ctx context.Context, n ledger.DayName, d *ledger.Day, wanted func(schema.Fingerprint) bool) (*dedup.Set, error) {
	return l.loadRows(ctx, n, d, new(dedup.Set), wanted)
}

func (l *Ledger) loadRows(ctx context.Context, n ledger.DayName, d *ledger.Day, set *dedup.Set, wanted func(schema.Fingerprint) bool) (*dedup.Set, error) {
	key, rows := l.rowsKey(n), 0
	at := recordbatch.TopicPartition{Topic: l.Rows}
	visitor := recordbatch.Visitor{Record: func(r *recordbatch.Record) error {
		if string(r.Key) != key {
			return nil
		}
		if generation, _ := strconv.Atoi(string(r.Header(headerGeneration))); generation != d.Generation {
			return nil
		}
		read, err := loadRecord(set, r.Value, r.Header(headerCopies), wanted)
		rows += read
		if err != nil {
			return &RecordError{Topic: l.Rows, Partition: at.Partition, Offset: r.Offset, Key: key, Err: err}
		}
		return nil
	}}
	var have *cluster.RangeError
	for _, r := range disjoint(d.Fingerprints) {
		at.Partition = int(r[0])
		log, err := l.log(ctx, at)
		if err != nil {
			return nil, fmt.Errorf("load the fingerprints of %s %s: %w", n.Stream, n.Day, err)
		}
		from, to := max(r[1], log.Start), min(r[2], log.End)
		if from != r[1] || to != r[2] {
			have = &cluster.RangeError{Topic: l.Rows, Partition: at.Partition, From: r[1], To: r[2], Start: log.Start, End: log.End}
		}
		if err := l.Cluster.Read(ctx, at, from, to, visitor); err != nil {
			return nil, fmt.Errorf("load the fingerprints of %s %s: %w", n.Stream, n.Day, err)
		}
	}
	if lost := max(0, d.Published+d.Bad-rows); lost > 0 || have != nil {
		return set, &LostError{Day: n, Rows: lost, Have: have}
	}
	return set, nil
}

// log returns the range of a partition of the rows topic: an empty one if the topic was recreated
// with fewer partitions.
func (l *Ledger) log(ctx context.Context, at recordbatch.TopicPartition) (cluster.LogRange, error) {
	log, err := l.Cluster.Log(ctx, at)
	if err == nil || !cluster.Missing(err) {
		return log, err
	}
	topics, topicsErr := l.Cluster.Topics(ctx, l.Rows)
	if topicsErr == nil && topics[0].Err == nil && at.Partition >= len(topics[0].Partitions) {
		return cluster.LogRange{Partition: at}, nil
	}
	return log, err
}

// loadRecord adds all rows, or those wanted, of one record of the rows topic, and returns how
// many the record has.
func loadRecord(set *dedup.Set, value, copies []byte, wanted func(schema.Fingerprint) bool) (rows int, err error) {
	const size = len(schema.Fingerprint{})
	if len(value)%size != 0 {
		return 0, errors.New("its length is not a number of fingerprints")
	}
	if copies == nil && wanted == nil {
		set.Load(value)
		return len(value) / size, nil
	}
	for ; len(value) > 0; value = value[size:] {
		f := schema.Fingerprint(value[:size])
		number, n := uint64(0), 0
		if copies != nil {
			if number, n = binary.Uvarint(copies); n <= 0 || number > schema.MaxCopies {
				return rows, fmt.Errorf("its header %q has no copy number for each fingerprint", headerCopies)
			}
		}
		rows++
		switch {
		case wanted != nil && !wanted(f):
		case copies == nil:
			set.Load(value[:size])
		default:
			set.LoadCopy(dedup.Copy{Fingerprint: f, Number: int(number)})
		}
		copies = copies[n:]
	}
	return rows, nil
}

// disjoint removes overlaps: ranges of a topic that was recreated may overlap older ones, and
// fingerprints in both must not count as two copies.
func disjoint(ranges []ledger.Range) []ledger.Range {
	sorted := slices.SortedFunc(slices.Values(ranges), func(a, b ledger.Range) int { return slices.Compare(a[:], b[:]) })
	var all []ledger.Range
	for _, r := range sorted {
		if n := len(all); n > 0 && all[n-1][0] == r[0] && r[1] < all[n-1][2] {
			all[n-1][2] = max(all[n-1][2], r[2])
			continue
		}
		all = append(all, r)
	}
	return all
}
