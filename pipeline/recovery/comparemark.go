package recovery

import (
	"context"
	"errors"
	"fmt"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/recordbatch"
)

// compareMark compares a partition's log with the checkpoint's mark.
func (r *reader) compareMark(ctx context.Context, log cluster.LogRange) (p *part, err error) {
	at, start, end := log.Partition, log.Start, log.End
	mark, marked := r.Marks[at]
	p = &part{at: at, start: start, end: end, marked: marked, news: mark.Next}
	if !marked {
		p.news = start
		return p, nil
	}
	how := ""
	switch {
	case end < mark.Next:
		how = fmt.Sprintf("its log ends at %d, the checkpoint is at %d", end, mark.Next)
	case mark.ID != "" && mark.Last >= start:
		if how, err = r.verify(ctx, at, mark.Last, mark.ID); err != nil {
			return nil, err
		}
	}
	if how != "" {
		p.replaced = true
		r.find(Finding{Kind: Lost, Partition: at, How: how})
	}
	return p, nil
}

// verify describes what the log has instead of the record at the mark; empty if the log has
// that record, or if compaction has removed it, which proves nothing.
func (r *reader) verify(ctx context.Context, at recordbatch.TopicPartition, offset int64, id string) (how string, err error) {
	found, compacted := "", false
	err = r.log.Read(ctx, at, offset, offset+1, recordbatch.Visitor{
		Record: func(record *recordbatch.Record) error { found = string(record.Header("id")); return nil },
		Hole:   func(int64, int64) { compacted = true },
	})
	if _, gone := errors.AsType[*cluster.RangeError](err); err != nil && !gone {
		return "", fmt.Errorf("recover %v: %w", at, err)
	}
	if found == id || compacted {
		return "", nil
	}
	return fmt.Sprintf("the record at offset %d has id %q, the checkpoint has %q", offset, found, id), nil
}
