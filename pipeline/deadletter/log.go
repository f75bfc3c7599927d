package deadletter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// Letter is a dead letter read from its topic.
type Letter struct {
	Name string    `json:"name"` // its Offset
	At   time.Time `json:"at"`   // the record's timestamp
	// Resolution is empty until a Resolver has set it.
	Resolution Resolution `json:"state,omitempty"`
	schema.DeadLetter

	Offset Offset `json:"-"`
	ID     string `json:"-"` // its header "id": for a row's letter the row's hash and copy number
}

// Log is the dead-letter topic at the time when it was opened, without later letters.
// Letters are visited as they are read and not retained, so that memory does not
// depend on their number.
type Log struct {
	cluster *cluster.Cluster
	topic   string
	service string
	logs    []cluster.LogRange // by partition, from the time on for which it was opened
}

// bytesAtOnce is how many bytes are fetched at once, for all partitions together.
const bytesAtOnce = 4 << 20

// OpenLog determines the offsets of the dead letters from since on. Letters of other
// services are skipped.
func OpenLog(ctx context.Context, kafka *cluster.Cluster, topic, service string, since time.Time) (*Log, error) {
	l := &Log{cluster: kafka, topic: topic, service: service}
	found, err := kafka.Topic(ctx, topic)
	switch {
	case cluster.Missing(err):
		return nil, fmt.Errorf("read the dead letters: topic %s: %w; has the connector run yet, and is DEAD_LETTER_TOPIC right?", topic, err)
	case err != nil:
		return nil, fmt.Errorf("read the dead letters: topic %s: %w", topic, err)
	}
	if l.logs, err = kafka.OffsetsSince(ctx, since, found.TopicPartitions()...); err != nil {
		return nil, fmt.Errorf("read the dead letters: %w", err)
	}
	for i := range l.logs {
		if l.logs[i].Err != nil {
			return nil, fmt.Errorf("read the dead letters: %w", l.logs[i].Err)
		}
	}
	return l, nil
}

// Last is the offset of the last letter of a partition, or of what would be the first.
func (l *Log) Last() []Offset {
	last := make([]Offset, len(l.logs))
	for i, log := range l.logs {
		last[i] = Offset{log.Partition.Partition, max(0, log.End-1)}
	}
	return last
}

// each visits the letters of the service that match, one partition after another. A letter is
// valid until visit returns.
func (l *Log) each(ctx context.Context, match func(*Letter) bool, visit func(*Letter) error) error {
	for i := range l.logs {
		if err := l.partition(ctx, &l.logs[i], bytesAtOnce, match, visit); err != nil {
			return err
		}
	}
	return nil
}

// OldestFirst visits the matching letters of the service in the order of their timestamps. Each
// partition has that order, so one letter of each is enough to find the next.
func (l *Log) OldestFirst(ctx context.Context, match func(*Letter) bool, visit func(*Letter) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var readers sync.WaitGroup
	defer readers.Wait()
	defer cancel()
	heads := make([]head, len(l.logs))
	for i := range heads {
		h := &heads[i]
		h.next = make(chan Letter)
		readers.Go(func() {
			defer close(h.next)
			h.err = l.partition(ctx, &l.logs[i], max(64<<10, bytesAtOnce/len(l.logs)), match, func(letter *Letter) error {
				select {
				case h.next <- *letter:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
		})
	}
	for i := range heads {
		if err := heads[i].advance(); err != nil {
			return err
		}
	}
	for {
		var oldest *head
		for i := range heads {
			if h := &heads[i]; h.stands && (oldest == nil || h.letter.At.Before(oldest.letter.At)) {
				oldest = h
			}
		}
		if oldest == nil {
			return nil
		}
		if err := visit(&oldest.letter); err != nil {
			return err
		}
		if err := oldest.advance(); err != nil {
			return err
		}
	}
}

// head is the next letter of a partition.
type head struct {
	next   chan Letter
	letter Letter
	stands bool  // there is one
	err    error // why there are no more; set before next is closed
}

func (h *head) advance() error {
	if h.letter, h.stands = <-h.next; h.stands {
		return nil
	}
	return h.err
}

// At returns the service's letter at an offset. It is an error if there is none.
func (l *Log) At(ctx context.Context, o Offset) (*Letter, error) {
	var there *Letter
	if o.Partition < len(l.logs) && o.Offset >= l.logs[o.Partition].Start && o.Offset < l.logs[o.Partition].End {
		log := cluster.LogRange{Partition: l.logs[o.Partition].Partition, Start: o.Offset, End: o.Offset + 1}
		err := l.partition(ctx, &log, 1, func(*Letter) bool { return true }, func(letter *Letter) error {
			there = letter
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if there == nil {
		return nil, fmt.Errorf("topic %s has no dead letter of service %s at %s: see dfinery-kafka dlq list", l.topic, l.service, o)
	}
	return there, nil
}

// Select visits the letters that match, among those with these names, or among all if no names
// are given.
func (l *Log) Select(ctx context.Context, names []string, match func(*Letter) bool) func(visit func(*Letter) error) error {
	if len(names) > 0 {
		return func(visit func(*Letter) error) error { return l.named(ctx, names, match, visit) }
	}
	return func(visit func(*Letter) error) error { return l.each(ctx, match, visit) }
}

// named visits the letters with these names that match.
func (l *Log) named(ctx context.Context, names []string, match func(*Letter) bool, visit func(*Letter) error) error {
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		offset, err := ParseOffset(name)
		if err != nil {
			return err
		}
		letter, err := l.At(ctx, offset)
		if err != nil {
			return err
		}
		if !match(letter) {
			continue
		}
		if err := visit(letter); err != nil {
			return err
		}
	}
	return nil
}

func (l *Log) partition(ctx context.Context, log *cluster.LogRange, atOnce int, match func(*Letter) bool, visit func(*Letter) error) error {
	from := log.Start
	visitor := recordbatch.Visitor{FetchBytes: atOnce, Record: func(r *recordbatch.Record) error {
		offset := Offset{log.Partition.Partition, r.Offset}
		letter := Letter{Name: offset.String(), At: r.Time, Offset: offset, ID: string(r.Header("id"))}
		if json.Unmarshal(r.Value, &letter.DeadLetter) != nil || letter.Service != l.service || !match(&letter) {
			return nil
		}
		if err := visit(&letter); err != nil {
			return &visitError{err}
		}
		return nil
	}}
	for {
		err := l.cluster.Read(ctx, log.Partition, from, log.End, visitor)
		gone, ok := errors.AsType[*cluster.RangeError](err)
		switch visit, failed := errors.AsType[*visitError](err); {
		case err == nil:
			return nil
		case failed:
			return visit.err
		case !ok || gone.Start <= from:
			return fmt.Errorf("read the dead letters in %v: %w", log.Partition, err)
		}
		from = min(gone.Start, log.End) // retention has deleted records in the meantime
	}
}

// visitError is an error of the visitor, not of reading.
type visitError struct{ err error }

func (e *visitError) Error() string { return e.err.Error() }
