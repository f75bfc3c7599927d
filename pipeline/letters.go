package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/schema"
)

// letterAt is the place of a dead letter.
type letterAt struct {
	partition int
	offset    int64
}

func (at letterAt) String() string { return fmt.Sprintf("%d/%d", at.partition, at.offset) }

// inOrder are the places of a command's letters, each once, so that neighbours are read together.
func inOrder(letters [][2]int64) []letterAt {
	places := make([]letterAt, len(letters))
	for i, l := range letters {
		places[i] = letterAt{int(l[0]), min(l[1], math.MaxInt64-1)} // there is one behind each
	}
	slices.SortFunc(places, func(a, b letterAt) int { return cmp.Or(a.partition-b.partition, cmp.Compare(a.offset, b.offset)) })
	return slices.Compact(places)
}

const (
	// replayBytes is how many bytes of rows a replay holds at a time, a little more than that: a command may name gigabytes.
	replayBytes = 4 << 20
	// replayGap is how many letters that are not wanted may stand between two that are read together.
	replayGap = 256
)

var errEnough = errors.New("enough letters are read")

// readLetters reads the next letters, as many as memory may hold, and sorts them by what has to be done. What Kafka does not answer is left
// for the next time: the loop has other things to do.
func (t *tenure) readLetters(ctx context.Context, r *replay, st *stream) {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	for room := replayBytes; room > 0 && len(r.left) > 0; {
		err := t.readTogether(ctx, r, st, &room)
		gone, deleted := errors.AsType[*cluster.RangeError](err)
		switch {
		case err == nil || errors.Is(err, errEnough):
		case deleted && gone.Start > r.left[0].offset:
			r.missing(r.left[0].partition, gone.Start)
		case ctx.Err() != nil || cluster.Retriable(err):
			return
		default:
			r.refuse(r.left[0], err.Error())
			r.left = r.left[1:]
		}
	}
}

// readTogether reads the letters left that stand close to the first one.
func (t *tenure) readTogether(ctx context.Context, r *replay, st *stream, room *int) error {
	n := 1
	for n < len(r.left) && r.left[n].partition == r.left[0].partition && r.left[n].offset-r.left[n-1].offset <= replayGap {
		n++
	}
	p := cluster.TopicPartition{Topic: t.service.DeadLetterTopic, Partition: r.left[0].partition}
	last := r.left[n-1].offset
	end, err := t.lettersEnd(ctx, p)
	if err != nil {
		return err
	}
	if r.left[0].offset >= end {
		r.missing(p.Partition, last+1)
		return nil
	}
	err = t.service.Cluster.Read(ctx, p, r.left[0].offset, min(last+1, end), cluster.Visitor{AtOnce: 1 << 20, Record: func(record *cluster.Record) error {
		r.missing(p.Partition, record.Offset)
		if len(r.left) == 0 || r.left[0] != (letterAt{p.Partition, record.Offset}) {
			return nil
		}
		*room -= t.sort(record, r, st)
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

// lettersEnd is where the dead letters of a partition end; 0 when there is no such partition. A command may name any place, and to wait for
// one would keep the loop from all else.
func (t *tenure) lettersEnd(ctx context.Context, p cluster.TopicPartition) (int64, error) {
	if !slices.Contains(t.lettersAt, p) {
		return 0, nil
	}
	log, err := t.service.Cluster.Log(ctx, p)
	return log.End, err
}

// missing refuses the letters of the partition that were to stand before offset.
func (r *replay) missing(partition int, offset int64) {
	for len(r.left) > 0 && r.left[0].partition == partition && r.left[0].offset < offset {
		r.refuse(r.left[0], "there is no such record any more")
		r.left = r.left[1:]
	}
}

func (r *replay) refuse(at letterAt, why string) {
	if r.wrong++; r.wrong <= mostWrong {
		r.why = append(r.why, at.String()+": "+why)
	}
}

// sort takes one letter by what has to be done for it, and tells how many bytes of it are held.
func (t *tenure) sort(record *cluster.Record, r *replay, st *stream) int {
	at := r.left[0]
	letter := new(schema.DeadLetter)
	today := schema.DayOf(time.Now(), t.service.Location)
	err := json.Unmarshal(record.Value, letter)
	switch {
	case err != nil:
		r.refuse(at, err.Error())
	case letter.Service != t.service.ID || letter.Stream != st.Name:
		r.refuse(at, fmt.Sprintf("it is of %s/%s", letter.Service, letter.Stream))
	case letter.Readable():
		if err := t.tryRow(letter, st); err != nil {
			r.refuse(at, err.Error())
			return 0
		}
		return r.add(letter)
	case letter.Day < today-schema.Reach || letter.Day > today:
		r.refuse(at, fmt.Sprintf("its day %s is out of the API's reach", letter.Day))
	default:
		r.days[letter.Day] = true
		st.day(letter.Day).wanted = true
	}
	return 0
}

// tryRow is why a letter has no row of the stream as it is now, if it has none: its key may have been another one, and anybody may write
// letters. A row that still is a bad one is no such error.
func (t *tenure) tryRow(l *schema.DeadLetter, st *stream) error {
	columns, err := schema.NewColumns(l.Row.Columns)
	if err != nil {
		return fmt.Errorf("read its columns: %w", err)
	}
	if columns.Index(st.Key) < 0 {
		return fmt.Errorf("its row has no column %s, which is the stream's key now", st.Key)
	}
	_, err = t.service.Parse(l.Row.Columns, l.Row.Bytes())
	if bad := (*schema.BadRow)(nil); err == nil || errors.As(err, &bad) {
		return nil
	}
	return fmt.Errorf("read its row: %w", err)
}

// rowCost is what a row takes beside its bytes.
const rowCost = 64

func (r *replay) add(l *schema.DeadLetter) int {
	raw := l.Row.Bytes()
	for i := range r.rows {
		if g := &r.rows[i]; g.day == l.Day && slices.Equal(g.columns, l.Row.Columns) {
			g.raw = append(g.raw, raw)
			return len(raw) + rowCost
		}
	}
	r.rows = append(r.rows, replayRows{day: l.Day, export: l.Export, columns: l.Row.Columns, raw: [][]byte{raw}})
	return len(raw) + rowCost
}
