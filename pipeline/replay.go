package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dfinery-kafka/pipeline/deadletter"
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
)

// replay is a command under way that replays dead letters: those of exports by
// exporting their days again, those of rows by publishing the copies of rows that
// they carry. After a crash it starts over, which publishes nothing twice: each row
// has its id.
type replay struct {
	left   []deadletter.Offset // not read yet, in the order of their places
	days   map[schema.Day]bool // to be exported again
	rows   []replayRows        // not begun yet
	hasher schema.Hasher
	out    int // begun and not ended
	total  tally
	whole  int      // days exported
	again  bool     // days are exported again because the copies of rows can't be published
	wrong  int      // letters that can't be replayed
	why    []string // of the first of these
}

// replayRows are rows of one day and header.
type replayRows struct {
	day     schema.Day
	export  int
	columns *schema.Columns
	rows    []replayRow
}

// replayRow is the row of a letter.
type replayRow struct {
	letter deadletter.Offset
	row    *schema.Row // nil: it still can't be read
	copy   dedup.Copy
	// guessed says that the letter does not tell which of identical rows it is of.
	guessed bool
}

// mostWrong bounds what a command's answer lists.
const mostWrong = 10

func (t *tenure) carryReplay(ctx context.Context, c *ledger.Command, st *stream) (changed, done bool) {
	r := t.replays[c.ID]
	if r == nil {
		if t.schedule.Blocked(st.Name) != "" {
			return false, false
		}
		now := time.Now().UTC()
		c.Taken = &now
		r = &replay{left: deadletter.Sorted(c.Letters), days: map[schema.Day]bool{}}
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
	c.Result = r.result()
	if r.wrong > 0 {
		c.Error = Counted(r.wrong, "letter") + " can't be replayed: " + strings.Join(r.why, "; ")
	}
	c.Letters = nil // the ledger keeps what came of them
	return true, true
}

func (r *replay) result() string {
	text := fmt.Sprintf("%s published, %d were published already, %d are bad still, %s exported again", Counted(r.total.Published, "row"),
		r.total.Duplicates, r.total.Bad, Counted(r.whole, "day"))
	if r.again {
		text += ", among them those of row letters whose copies can't be published"
	}
	return text
}

// replayDays counts the days that were exported since, or that the API has turned down.
func (t *tenure) replayDays(c *ledger.Command, st *stream, r *replay) {
	for day := range r.days {
		switch t.schedule.Answer(ledger.DayName{Stream: st.Name, Day: day}, *c.Taken) {
		case schedule.Exported:
			delete(r.days, day)
			r.whole++
		case schedule.OutOfReach:
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
		if len(rows.rows) == 0 {
			continue
		}
		d := st.day(rows.day)
		if d.busy() || t.inFlight >= t.service.ConcurrentCalls {
			later = append(later, rows)
			continue
		}
		record := t.schedule.Day(d.name)
		e := &export{
			tenure: t, stream: st.Stream, senders: appenders(st.senders), day: d, record: record, started: time.Now().UTC(), replay: r, letters: rows,
			// Of this generation, also before its first call: the restore passes over what is of an older one.
			call: schema.Export{Service: t.service.ID, Stream: st.Name, Kind: st.Kind, Key: st.Key, Day: rows.day,
				N: max(record.Exports, rows.export, record.From)},
		}
		r.out++
		t.schedule.Occupy(d.name)
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
	for _, at := range e.unclear {
		r.refuse(at, "it does not say which of identical rows it is of, one of them is published, and its day can't be exported any more")
	}
}

// republish publishes the rows of letters that are not published yet, each as the
// copy that its letter names. No letter is written: those that still can't be
// published have theirs.
func (e *export) republish(ctx context.Context) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	e.columns = e.letters.columns
	if err := e.value.encoder.Header(ctx, e.columns); err != nil {
		return e.registryFailure(err)
	}
	e.headers.setColumns(&e.stream.Headers, e.columns)
	key := e.columns.Index(e.stream.Key)
	for i := range e.letters.rows {
		if err := e.republishRow(&e.letters.rows[i], key); err != nil {
			return err
		}
	}
	return nil
}

func (e *export) republishRow(r *replayRow, key int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.row == nil || len(r.row.Cell(key)) == 0 {
		e.sum.Bad++
		return nil
	}
	rows := &e.day.rows
	if rows.Set.Has(r.copy.Fingerprint, r.copy.Number) {
		if r.guessed {
			e.unclear = append(e.unclear, r.letter)
			return nil
		}
		e.sum.Duplicates++
		return nil
	}
	err := e.append(r.row, r.row.Cell(key), r.copy)
	if _, bad := errors.AsType[*schema.BadRow](err); bad {
		e.sum.Bad++
		return nil
	}
	if err != nil {
		return err
	}
	if rows.AddCopy(r.copy) {
		e.askForCheckpoint()
	}
	return nil
}
