package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/pipeline/cluster"
)

// letterLog is the dead-letter topic as it was when it was opened: letters that come later are not in it. Each letter is handed out as
// it is read and then forgotten, so that memory does not depend on how many there are.
type letterLog struct {
	config  *config.Config
	cluster *cluster.Cluster
	topic   string
	service string
	logs    []cluster.LogRange // by partition, from the time on for which it was opened
}

// lettersAtOnce is how many bytes are asked for at once, of all partitions together.
const lettersAtOnce = 4 << 20

// openLetters loads the configuration, reaches the cluster, and looks where its dead letters since then begin and end. Whoever has them
// closes them.
func openLetters(cmd *cobra.Command, since time.Time) (*letterLog, error) {
	c, kafka, err := openCluster(cmd)
	if err != nil {
		return nil, err
	}
	l := &letterLog{config: c, cluster: kafka, topic: string(c.Publish.DeadLetterTopic), service: string(c.DFINERY.Service)}
	if err := l.look(cmd.Context(), since); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Close closes the cluster.
func (l *letterLog) Close() { l.cluster.Close() }

func (l *letterLog) look(ctx context.Context, since time.Time) error {
	topic, err := l.cluster.Topic(ctx, l.topic)
	switch {
	case cluster.Missing(err):
		return fmt.Errorf("read the dead letters: topic %s: %w; has the connector run yet, and is DEAD_LETTER_TOPIC right?", l.topic, err)
	case err != nil:
		return fmt.Errorf("read the dead letters: topic %s: %w", l.topic, err)
	}
	if l.logs, err = l.cluster.OffsetsSince(ctx, since, topic.TopicPartitions()...); err != nil {
		return fmt.Errorf("read the dead letters: %w", err)
	}
	for i := range l.logs {
		if l.logs[i].Err != nil {
			return fmt.Errorf("read the dead letters: %w", l.logs[i].Err)
		}
	}
	return nil
}

// each visits the letters of the service that match, a partition after the other. A letter is lent until visit returns.
func (l *letterLog) each(ctx context.Context, match func(*found) bool, visit func(*found) error) error {
	for i := range l.logs {
		if err := l.partition(ctx, &l.logs[i], lettersAtOnce, match, visit); err != nil {
			return err
		}
	}
	return nil
}

// oldestFirst visits the letters of the service that match in the order in which Kafka took them. Every partition has that order, so
// one letter of each is enough to know the next.
func (l *letterLog) oldestFirst(ctx context.Context, match func(*found) bool, visit func(*found) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var readers sync.WaitGroup
	defer readers.Wait()
	defer cancel()
	heads := make([]head, len(l.logs))
	for i := range heads {
		h := &heads[i]
		h.next = make(chan found)
		readers.Go(func() {
			defer close(h.next)
			h.err = l.partition(ctx, &l.logs[i], max(64<<10, lettersAtOnce/len(l.logs)), match, func(letter *found) error {
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
	next   chan found
	letter found
	stands bool  // there is one
	err    error // why there is none any more; set before next is closed
}

func (h *head) advance() error {
	if h.letter, h.stands = <-h.next; h.stands {
		return nil
	}
	return h.err
}

// at is the letter of the service at a place, or nil.
func (l *letterLog) at(ctx context.Context, partition int, offset int64) (*found, error) {
	if partition >= len(l.logs) || offset < l.logs[partition].Start || offset >= l.logs[partition].End {
		return nil, nil
	}
	var there *found
	log := cluster.LogRange{Partition: l.logs[partition].Partition, Start: offset, End: offset + 1}
	err := l.partition(ctx, &log, 1, func(*found) bool { return true }, func(letter *found) error {
		there = letter
		return nil
	})
	return there, err
}

// none says that no letter has the name.
func (l *letterLog) none(name string) error {
	return fmt.Errorf("topic %s has no dead letter of service %s at %s: see dfinery-kafka dlq list", l.topic, l.service, name)
}

// chosen are the letters that match: of those with these names, or of all when there are none.
func (l *letterLog) chosen(ctx context.Context, names []string, match func(*found) bool) func(visit func(*found) error) error {
	if len(names) > 0 {
		return func(visit func(*found) error) error { return l.named(ctx, names, match, visit) }
	}
	return func(visit func(*found) error) error { return l.each(ctx, match, visit) }
}

// named visits the letters with these names that match.
func (l *letterLog) named(ctx context.Context, names []string, match func(*found) bool, visit func(*found) error) error {
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		partition, offset, err := place(name)
		if err != nil {
			return err
		}
		letter, err := l.at(ctx, partition, offset)
		switch {
		case err != nil:
			return err
		case letter == nil:
			return l.none(name)
		case !match(letter):
			continue
		}
		if err := visit(letter); err != nil {
			return err
		}
	}
	return nil
}

func (l *letterLog) partition(ctx context.Context, log *cluster.LogRange, atOnce int, match func(*found) bool, visit func(*found) error) error {
	partition, from := log.Partition.Partition, log.Start
	visitor := cluster.Visitor{FetchBytes: atOnce, Record: func(r *cluster.Record) error {
		letter := found{Name: fmt.Sprintf("%d/%d", partition, r.Offset), At: r.Time, partition: partition, offset: r.Offset}
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
		from = min(gone.Start, log.End) // retention was faster
	}
}

// visitError is a visitor's own error: nothing was wrong with reading.
type visitError struct{ err error }

func (e *visitError) Error() string { return e.err.Error() }
