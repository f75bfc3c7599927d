package pipeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"dfinery-kafka/pipeline/deadletter"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// replay is a command under way that replays dead letters: those of exports by
// exporting their days again, those of rows by publishing the copies of rows that
// they carry. After a crash it starts over, which publishes nothing twice: each row
// has its id.
type replay struct {
	left   []deadletter.Offset // not read yet, in the order of their places
	days   map[schema.Day]bool // to be exported again
	rows   []transfer.Replay   // not begun yet
	hasher schema.Hasher
	out    int // begun and not ended
	total  transfer.Tally
	whole  int      // days exported
	again  bool     // days are exported again because the copies of rows can't be published
	wrong  int      // letters that can't be replayed
	why    []string // of the first of these
}

// mostWrong bounds what a command's answer lists.
const mostWrong = 10

func (t *tenure) carryReplay(ctx context.Context, c *ledger.Command, st *transfer.Stream) (changed, done bool) {
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
func (t *tenure) replayDays(c *ledger.Command, st *transfer.Stream, r *replay) {
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
func (t *tenure) replayNext(ctx context.Context, st *transfer.Stream, r *replay) {
	var later []transfer.Replay
	for i := range r.rows {
		rows := r.rows[i]
		if len(rows.Rows) == 0 {
			continue
		}
		name := ledger.DayName{Stream: st.Name, Day: rows.Day}
		if t.transfers.Day(name).Busy() || !t.transfers.Free() {
			later = append(later, rows)
			continue
		}
		record := t.schedule.Day(name)
		r.out++
		t.schedule.Occupy(name)
		t.replaying[t.transfers.Start(ctx, transfer.Job{
			Record: record, Started: time.Now().UTC(), Replay: &rows,
			// Of this generation, also before its first call: the restore passes over what is of an older one.
			Call: schema.Export{Service: t.service.ID, Stream: st.Name, Kind: st.Kind, Key: st.Key, Day: rows.Day,
				N: max(record.Exports, rows.Export, record.From)},
		})] = r
	}
	r.rows = later
}

// take adds up what a part of the replay has done.
func (r *replay) take(e *transfer.Export) {
	r.out--
	sum := e.Sum()
	r.total.Published += sum.Published
	r.total.Duplicates += sum.Duplicates
	r.total.Bad += sum.Bad
	for _, at := range e.Unclear {
		r.refuse(at, "it does not say which of identical rows it is of, one of them is published, and its day can't be exported any more")
	}
}
