package pipeline

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// replay is a command under way that puts dead letters right: those of exports by exporting their days again, those of rows by
// reading the rows from their raw copies. A crash in the middle repeats it, which publishes nothing twice: what is published is known.
type replay struct {
	left  []letterAt          // not read yet, in the order of their places
	days  map[schema.Day]bool // to be exported again
	rows  []replayRows        // not begun yet
	out   int                 // begun and not ended
	total tally
	whole int      // days exported
	wrong int      // letters that can't be replayed
	why   []string // of the first of these
}

// replayRows are rows of one day and header.
type replayRows struct {
	day     schema.Day
	export  int
	columns *schema.Columns
	rows    []replayRow
}

// replayRow is a row, or why it is none still: a *schema.BadRow.
type replayRow struct {
	row *schema.Row
	bad error
}

// mostWrong bounds what a command's answer lists.
const mostWrong = 10

func (t *tenure) carryReplay(ctx context.Context, c *ledger.Command, st *stream) (changed, done bool) {
	r := t.replays[c.ID]
	if r == nil {
		if st.blocked != "" {
			return false, false
		}
		now := time.Now().UTC()
		c.Taken = &now
		r = &replay{left: inOrder(c.Letters), days: map[schema.Day]bool{}}
		t.replays[c.ID] = r
		changed = true
	}
	if len(r.rows) == 0 && r.out == 0 {
		t.readLetters(ctx, r, st)
	}
	t.replayDays(c, st, r)
	t.replayNext(ctx, st, r)
	changed = c.Progress(r.whole+r.total.Rows()+r.total.Bad+r.wrong, len(c.Letters)) || changed
	if len(r.left) > 0 || len(r.days) > 0 || len(r.rows) > 0 || r.out > 0 {
		return changed, false
	}
	delete(t.replays, c.ID)
	c.Result = fmt.Sprintf("%s published, %d were published already, %d are bad still, %s exported again", Counted(r.total.Published, "row"),
		r.total.Duplicates, r.total.Bad, Counted(r.whole, "day"))
	if r.wrong > 0 {
		c.Error = Counted(r.wrong, "letter") + " can't be replayed: " + strings.Join(r.why, "; ")
	}
	c.Letters = nil // the ledger keeps what came of them
	return true, true
}

// replayDays counts the days that were exported since, or that the API has turned down.
func (t *tenure) replayDays(c *ledger.Command, st *stream, r *replay) {
	for day := range r.days {
		switch d := st.day(day); {
		case d.exportedAfter(*c.Taken):
			delete(r.days, day)
			r.whole++
		case d.turnedDown(*c.Taken):
			delete(r.days, day)
			if r.wrong++; r.wrong <= mostWrong {
				r.why = append(r.why, fmt.Sprintf("the day %s is out of the API's reach", day))
			}
		}
	}
}

// replayNext begins with the rows of every day that is not being exported.
func (t *tenure) replayNext(ctx context.Context, st *stream, r *replay) {
	var later []replayRows
	for _, rows := range r.rows {
		d := st.day(rows.day)
		if d.busy() || t.inFlight >= t.service.ConcurrentCalls {
			later = append(later, rows)
			continue
		}
		e := &export{
			tenure: t, stream: st.Stream, senders: st.senders, day: d, record: d.record, started: time.Now().UTC(), replay: r,
			permit: &replayPermit{rows},
			// Of this generation, also before its first call: the restore passes over what is of an older one.
			call: schema.Export{Service: t.service.ID, Stream: st.Name, Kind: st.Kind, Key: st.Key, Day: rows.day,
				N: max(d.record.Exports, rows.export, d.record.From)},
		}
		r.out++
		t.launch(ctx, e)
	}
	r.rows = later
}

// take adds up what a part of the replay has done.
func (r *replay) take(e *export) {
	r.out--
	r.total.Published += e.sum.Published
	r.total.Duplicates += e.sum.Duplicates
	r.total.Bad += e.sum.Bad
}

// replayPermit makes no call.
type replayPermit struct{ replayRows }

func (*replayPermit) Cancel()     {}
func (*replayPermit) Probe() bool { return false }

func (p *replayPermit) Export(context.Context, schema.Export) (Body, error) {
	return &replayBody{replayRows: p.replayRows}, nil
}

// replayBody is the rows of dead letters.
type replayBody struct {
	replayRows
	next int
}

func (b *replayBody) More() bool               { return false } // each row has memory of its own
func (b *replayBody) Columns() *schema.Columns { return b.columns }
func (b *replayBody) Request() schema.Request  { return schema.Request{Method: "REPLAY"} }
func (b *replayBody) Close() error             { return nil }

func (b *replayBody) Next() (*schema.Row, error) {
	if b.next == len(b.rows) {
		return nil, io.EOF
	}
	b.next++
	return b.rows[b.next-1].row, b.rows[b.next-1].bad
}
