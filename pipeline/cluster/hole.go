package cluster

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// holeAfter is how long a topic that is not compacted is read again for records below its high
// watermark. A topic whose cleanup.policy was changed may have real holes.
const holeAfter = 30 * time.Second

// doubt is an offset below the high watermark from which on a leader returned no records.
type doubt struct {
	offset  int64
	since   time.Time
	answers int
}

// isHole reports whether an empty answer for the offset means that there are no records. A
// single answer is not enough: a newly elected leader, or one that is short of memory, may
// return one.
func (d *doubt) isHole(offset int64, now time.Time, compacted bool) bool {
	if d.answers == 0 || d.offset != offset {
		*d = doubt{offset: offset, since: now}
	}
	d.answers++
	return d.answers > 1 && compacted || now.Sub(d.since) >= holeAfter
}

// empty distinguishes a gap in the offsets from the end of the log: below the high watermark
// the leader would have returned records if there were any.
func (r *reader) empty(ctx context.Context, highWatermark int64) error {
	if r.parser.Next() >= highWatermark {
		return r.patient.next(ctx, &RangeError{
			Topic: r.Topic, Partition: r.Partition, From: r.parser.Next(), To: r.to, Start: r.parser.Next(), End: highWatermark,
		})
	}
	if r.doubt.isHole(r.parser.Next(), time.Now(), r.compacted(ctx)) {
		r.parser.Skip(highWatermark)
		return nil
	}
	r.leader = -1
	return r.doubtful.next(ctx, fmt.Errorf("read %v at offset %d: the leader has no records below its high watermark %d", r.TopicPartition, r.parser.Next(), highWatermark))
}

// compacted reports whether the topic is known to be compacted.
func (r *reader) compacted(ctx context.Context) bool {
	configs, err := r.cluster.TopicConfigs(ctx, r.Topic)
	return err == nil && configs[0].Err == nil && strings.Contains(configs[0].CleanupPolicy, "compact")
}
