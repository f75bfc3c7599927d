package command

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

// replay is the state of a command that replays dead letters: for those of exports it
// exports the days again, for those of rows it publishes the copies in the letters.
// After a crash it starts over, which publishes nothing twice, because each row has
// its id.
type replay struct {
	left   []deadletter.Offset // not yet read, in order
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

// mostWrong limits how many problems a command's result lists.
const mostWrong = 10

// replay continues a replay.
func (x *Executor) replay(ctx context.Context, c *ledger.Command, st *transfer.Stream) (changed, done bool) {
	r := x.replays[c.ID]
	if r == nil {
		if of := x.Schedule.Stream(st.Name); of.Blocked() != "" || of.KeyRefused() {
			return false, false
		}
		now := time.Now().UTC()
		c.Taken = &now
		r = &replay{left: deadletter.Sorted(c.Letters), days: map[schema.Day]bool{}}
		x.replays[c.ID] = r
		changed = true
	}
	if len(r.rows) == 0 && r.out == 0 {
		x.readLetters(ctx, r, st)
	}
	x.replayDays(c, st, r)
	x.startReplays(ctx, st, r)
	changed = c.Progress(r.whole+r.total.Rows()+r.total.Bad+r.wrong, len(c.Letters)) || changed
	if len(r.left) > 0 || len(r.days) > 0 || len(r.rows) > 0 || r.out > 0 {
		return changed, false
	}
	delete(x.replays, c.ID)
	c.Result = r.result()
	if r.wrong > 0 {
		c.Error = schema.Pluralize(r.wrong, "letter") + " can't be replayed: " + strings.Join(r.why, "; ")
	}
	c.Letters = nil // the result stays in the ledger
	return true, true
}

func (r *replay) result() string {
	text := fmt.Sprintf("%s published, %d were published already, %d are still bad, %s exported again", schema.Pluralize(r.total.Published, "row"),
		r.total.Duplicates, r.total.Bad, schema.Pluralize(r.whole, "day"))
	if r.again {
		text += ", among them those of row letters whose copies can't be published"
	}
	return text
}

// replayDays counts the days that were exported since, or that the API called out of reach.
func (x *Executor) replayDays(c *ledger.Command, st *transfer.Stream, r *replay) {
	for day := range r.days {
		switch x.Schedule.Stream(st.Name).Day(day).Answer(*c.Taken) {
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

// startReplays starts to publish the rows of each day that is not being exported.
func (x *Executor) startReplays(ctx context.Context, st *transfer.Stream, r *replay) {
	var later []transfer.Replay
	for i := range r.rows {
		rows := r.rows[i]
		if len(rows.Rows) == 0 {
			continue
		}
		name := ledger.DayName{Stream: st.Name, Day: rows.Day}
		if x.Transfers.Day(name).Busy() || !x.Transfers.Free() {
			later = append(later, rows)
			continue
		}
		record := x.Schedule.Record(name)
		r.out++
		x.Schedule.Day(name).Occupy()
		x.replaying[x.Transfers.Start(ctx, transfer.Job{
			Record: record, Started: time.Now().UTC(), Replay: &rows,
			// Of this generation, also before its first call: the restore skips records of an
			// older one.
			Call: schema.Export{Service: x.Service, Stream: st.Name, Kind: st.Kind, Key: st.Key, Day: rows.Day,
				N: max(record.Exports, rows.Export, record.From)},
		})] = r
	}
	r.rows = later
}

// Ended handles the end of an export that published rows of a replay.
func (x *Executor) Ended(e *transfer.Export) {
	x.replaying[e].add(e)
	delete(x.replaying, e)
}

// Replaying reports whether a replay is in progress.
func (x *Executor) Replaying() bool { return len(x.replays) > 0 }

// add adds up what a part of the replay has done.
func (r *replay) add(e *transfer.Export) {
	r.out--
	sum := e.Sum()
	r.total.Published += sum.Published
	r.total.Duplicates += sum.Duplicates
	r.total.Bad += sum.Bad
	for _, at := range e.Unclear {
		r.refuse(at, "it does not say which of identical rows it is of, one of them is published, and its day can't be exported any more")
	}
}
