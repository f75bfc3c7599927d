package command

import (
	"context"
	"errors"
	"slices"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/deadletter"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/transfer"
)

const (
	// replayBytes is roughly how many bytes of rows a replay holds at a time, as a command may
	// select gigabytes.
	replayBytes = 4 << 20
	// replayGap is how many other letters may be between two that are read together.
	replayGap = 256
)

var errEnough = errors.New("enough letters are read")

// readLetters reads the next letters, as many as replayBytes allows, and decides what to do
// about each. If Kafka does not answer in time, the next step reads on, so that the loop is not
// blocked.
func (x *Executor) readLetters(ctx context.Context, r *replay, st *transfer.Stream) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	for room := replayBytes; room > 0 && len(r.left) > 0; {
		err := x.readAdjacent(ctx, r, st, &room)
		gone, deleted := errors.AsType[*cluster.RangeError](err)
		switch {
		case err == nil || errors.Is(err, errEnough):
		case deleted && gone.Start > r.left[0].Offset:
			r.missing(r.left[0].Partition, gone.Start)
		case ctx.Err() != nil || cluster.Retriable(err):
			return
		default:
			r.refuse(r.left[0], err.Error())
			r.left = r.left[1:]
		}
	}
}

// readAdjacent reads the remaining letters that are close to the first one.
func (x *Executor) readAdjacent(ctx context.Context, r *replay, st *transfer.Stream, room *int) error {
	n := 1
	for n < len(r.left) && r.left[n].Partition == r.left[0].Partition && r.left[n].Offset-r.left[n-1].Offset <= replayGap {
		n++
	}
	p := recordbatch.TopicPartition{Topic: x.Letters[0].Topic, Partition: r.left[0].Partition}
	last := r.left[n-1].Offset
	end, err := x.lettersEnd(ctx, p)
	if err != nil {
		return err
	}
	if r.left[0].Offset >= end {
		r.missing(p.Partition, last+1)
		return nil
	}
	err = x.Topics.Read(ctx, p, r.left[0].Offset, min(last+1, end), recordbatch.Visitor{FetchBytes: 1 << 20, Record: func(record *recordbatch.Record) error {
		r.missing(p.Partition, record.Offset)
		if len(r.left) == 0 || r.left[0] != (deadletter.Offset{Partition: p.Partition, Offset: record.Offset}) {
			return nil
		}
		*room -= x.dispatch(record, r, st)
		r.left = r.left[1:]
		if *room <= 0 {
			return errEnough
		}
		return nil
	}})
	if err == nil {
		r.missing(p.Partition, last+1)
	}
	return err
}

// lettersEnd is the end offset of a partition of the dead letters; 0 if there is no such
// partition. A command may name any partition, and waiting for one that does not exist would
// block the loop.
func (x *Executor) lettersEnd(ctx context.Context, p recordbatch.TopicPartition) (int64, error) {
	if !slices.Contains(x.Letters, p) {
		return 0, nil
	}
	log, err := x.Topics.Log(ctx, p)
	return log.End, err
}

// missing refuses the letters that the command names in the partition before offset.
func (r *replay) missing(partition int, offset int64) {
	for len(r.left) > 0 && r.left[0].Partition == partition && r.left[0].Offset < offset {
		r.refuse(r.left[0], "there is no such record any more")
		r.left = r.left[1:]
	}
}

func (r *replay) refuse(at deadletter.Offset, why string) {
	if r.wrong++; r.wrong <= mostWrong {
		r.why = append(r.why, at.String()+": "+why)
	}
}
