package command

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/privacy"
)

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
	fromCopy, day := ReplayOf(letter, st.Kind, st.Changes, today)
	if fromCopy {
		inReach := letter.Day.InReach(today)
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
	if !day.InReach(today) {
		r.refuse(at, fmt.Sprintf("its day %s is out of the API's reach", day))
		return 0
	}
	r.again = r.again || letter.Kind == schema.KindRow
	r.days[day] = true
	x.Schedule.Stream(st.Name).Day(day).Request()
	return 0
}

// ReplayOf decides how a letter is replayed today: its row is published from the copy in the
// letter, or day is exported again, if it is in reach. For a snapshot day is today: one of a past
// day can't be exported any more. With MODE=changes an old copy would overwrite newer data.
func ReplayOf(l *schema.DeadLetter, kind schema.Kind, changes bool, today schema.Day) (fromCopy bool, day schema.Day) {
	day = l.Day
	if kind.Snapshot() {
		day = today
	}
	return !changes && l.FromCopy(l.Day.InReach(today)), day
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
