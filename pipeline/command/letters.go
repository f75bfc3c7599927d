package command

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/deadletter"
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/privacy"
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

// dispatch decides what to do about one letter, and returns how many bytes of it are held.
func (x *Executor) dispatch(record *recordbatch.Record, r *replay, st *transfer.Stream) int {
	at := r.left[0]
	letter := new(schema.DeadLetter)
	if err := json.Unmarshal(record.Value, letter); err != nil {
		r.refuse(at, err.Error())
		return 0
	}
	if letter.Service != x.Service || letter.Stream != st.Name {
		r.refuse(at, fmt.Sprintf("it is of %s/%s", letter.Service, letter.Stream))
		return 0
	}
	today := schema.DayOf(time.Now(), x.Location)
	if st.Changes && letter.Kind == schema.KindRow {
		letter.Row = nil // an old copy would overwrite newer data: a new snapshot is exported
	}
	inReach := letter.Day >= today-schema.Reach && letter.Day <= today
	if letter.FromCopy(inReach) {
		held, err := x.readRow(letter, record.Header("id"), inReach, r, st)
		switch {
		case errors.Is(err, errOtherRow) && inReach: // export its day again
		case err != nil:
			r.refuse(at, err.Error())
			return 0
		default:
			return held
		}
	}
	if st.Kind.Snapshot() { // one of today replaces those of past days, which can't be exported any more
		letter.Day, inReach = today, true
	}
	if !inReach {
		r.refuse(at, fmt.Sprintf("its day %s is out of the API's reach", letter.Day))
		return 0
	}
	r.again = r.again || letter.Kind == schema.KindRow
	r.days[letter.Day] = true
	x.Schedule.Stream(st.Name).Day(letter.Day).Request()
	return 0
}

// errOtherRow means that a letter's copy would be another row now than when the letter was
// written, or that the letter does not identify the row.
var errOtherRow = errors.New("its row would have another id now: the stream's key, columns or privacy settings have changed since")

// readRow reads the row of a letter from its copy and returns how many bytes of it are held. A
// row that is still bad is not an error.
func (x *Executor) readRow(l *schema.DeadLetter, id []byte, inReach bool, r *replay, st *transfer.Stream) (held int, err error) {
	rows, err := r.rowsOf(l, st)
	if err != nil {
		return 0, err
	}
	raw := l.Row.Bytes()
	row, err := x.Parse(rows.Header, raw)
	if _, bad := errors.AsType[*schema.BadRow](err); err != nil && !bad {
		return 0, fmt.Errorf("read its row: %w", err)
	}
	held = rowCost + len(raw) + len(rows.Columns.Names)*cellCost
	if len(rows.Rows) == 0 {
		held += len(rows.Columns.Names) * columnCost
	}
	found := transfer.ReplayRow{Letter: r.left[0]}
	if err == nil && rows.View != nil {
		arrived := row
		row = new(schema.Row)
		rows.View.Public(row, arrived)
	}
	if err == nil {
		found.Row = row
		if found.Copy, found.Guessed, err = copyOf(l, id, r.hasher.Row(row)); err != nil || found.Guessed && inReach {
			return 0, cmp.Or(err, errOtherRow)
		}
	}
	rows.Rows = append(rows.Rows, found)
	return held, nil
}

// copyOf is the number of a letter's row among identical rows. For a letter without it, the
// number of the letter is used: there are at most as many letters as rows in the export.
func copyOf(l *schema.DeadLetter, id []byte, fingerprint schema.Fingerprint) (c dedup.Copy, guessed bool, err error) {
	c.Fingerprint = fingerprint
	if guessed = l.Row.ID == ""; !guessed {
		id = []byte(l.Row.ID)
	}
	named, number, err := schema.ParseID(id)
	switch {
	case err != nil:
		return c, guessed, err
	case !guessed && named != fingerprint:
		return c, false, errOtherRow
	}
	c.Number = number
	return c, guessed, nil
}

// rowsOf returns the rows of the letter's day and header. The error says why the letter can't
// contain a row of the stream as it is now: the key may have changed, and anyone may write
// letters.
func (r *replay) rowsOf(l *schema.DeadLetter, st *transfer.Stream) (*transfer.Replay, error) {
	for i := range r.rows {
		if rows := &r.rows[i]; rows.Day == l.Day && slices.Equal(rows.Header.Names, l.Row.Columns) {
			return rows, nil
		}
	}
	header, err := schema.NewColumns(l.Row.Columns)
	if err != nil {
		return nil, fmt.Errorf("read its columns: %w", err)
	}
	columns, view, err := publicColumns(header, st)
	if err != nil {
		return nil, err
	}
	if missing := st.Key.Missing(columns); len(missing) > 0 {
		return nil, fmt.Errorf("its row has no column %s, which is in the stream's key now", missing[0])
	}
	r.rows = append(r.rows, transfer.Replay{Day: l.Day, Export: l.Export, Header: header, View: view, Columns: columns})
	return &r.rows[len(r.rows)-1], nil
}

// publicColumns returns the columns of the header that may be published, and the view that
// hides cells; nil if all may be published. A header that lacks a column to be hidden may have
// it under another name.
func publicColumns(header *schema.Columns, st *transfer.Stream) (*schema.Columns, *privacy.View, error) {
	if st.Privacy == nil {
		return header, nil, nil
	}
	if len(st.Privacy.Missing(header.Names)) > 0 {
		return nil, nil, errOtherRow
	}
	view, err := st.Privacy.View(header)
	if err != nil {
		return nil, nil, err
	}
	return view.Columns(), view, nil
}

// The memory of a row in addition to its own bytes: for each cell, and for each column of a new
// header.
const (
	rowCost    = 256
	cellCost   = 8
	columnCost = 256
)
