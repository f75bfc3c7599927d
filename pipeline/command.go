package pipeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// The verbs of commands.
const (
	VerbPause    = "pause"
	VerbResume   = "resume"
	VerbBackfill = "backfill"
	VerbReplay   = "replay"
)

// pollCommands takes the commands that were written to the ledger since, and brings those under way further. It never fails because of what
// a command says: one that makes no sense is answered with an error and stops nothing.
func (t *tenure) pollCommands(ctx context.Context) error {
	look, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	log, err := t.service.Cluster.Log(look, t.stateAt)
	if err != nil {
		return nil // a broker that is away: the next look finds them
	}
	news := &ledger.State{Days: map[ledger.DayName]*ledger.Day{}, Commands: map[string]*ledger.Command{}, Partition: t.stateAt.Partition}
	if err := t.books.Follow(look, news, t.stateAt.Partition, t.end, log.End); err != nil {
		if look.Err() != nil {
			return nil
		}
		return err
	}
	t.end = log.End
	for _, c := range news.InOrder() {
		if c.Taken == nil && c.Done == nil && !t.knows(c.ID) {
			t.commands = append(t.commands, c)
		}
	}
	return t.carryOut(ctx)
}

func (t *tenure) knows(id string) bool {
	for _, c := range t.commands {
		if c.ID == id {
			return true
		}
	}
	return false
}

// carryOut brings each command as far as it goes now, and writes what has changed of it.
func (t *tenure) carryOut(ctx context.Context) error {
	var open []*ledger.Command
	for _, c := range t.commands {
		if c.Done != nil {
			continue
		}
		changed, done := t.carry(ctx, c)
		if done {
			now := time.Now().UTC()
			c.Done = &now
			if c.Error != "" {
				t.log.Warn("command refused", "verb", c.Verb, "stream", c.Stream, "id", c.ID, "result", c.Result, "error", c.Error,
					"do", "mend what the error names and give the command again")
			} else {
				t.log.Info("command carried out", "verb", c.Verb, "stream", c.Stream, "id", c.ID, "result", c.Result)
			}
		} else {
			open = append(open, c)
		}
		if !changed && !done {
			continue
		}
		// What the command did to days and streams is in the ledger before the command says so.
		if err := t.checkpoint(ctx); err != nil {
			return err
		}
		t.service.step("command")
		if err := t.writer.Command(c); err != nil {
			return err
		}
		if err := t.session.Flush(ctx, t.writer.State); err != nil {
			return err
		}
	}
	t.commands = open
	return nil
}

// carry brings one command further. Taking it up is a change to be written, ending it as well.
func (t *tenure) carry(ctx context.Context, c *ledger.Command) (changed, done bool) {
	if c.Error != "" { // it could not be read
		return true, true
	}
	st := t.service.stream(c.Stream)
	if st == nil {
		names := make([]string, len(t.service.Streams))
		for i := range t.service.Streams {
			names[i] = t.service.Streams[i].Name
		}
		c.Error = fmt.Sprintf("there is no stream %q here: the streams are %s", c.Stream, strings.Join(names, ", "))
		return true, true
	}
	switch c.Verb {
	case VerbPause, VerbResume:
		if c.Verb == VerbPause {
			t.schedule.Pause(st.Name)
		} else {
			t.acceptIDs(st.Name)
			now := time.Now()
			t.schedule.Resume(st.Name, now.UTC())
			t.source.RetryToken(now)
		}
		c.Result = c.Stream + " " + c.Verb + "d"
		return true, true
	case VerbBackfill:
		return t.carryBackfill(c, st)
	case VerbReplay:
		return t.carryReplay(ctx, c, st)
	}
	c.Error = fmt.Sprintf("%q is not a command: pause, resume, backfill, replay", c.Verb)
	return true, true
}

// Counted is so many of what, in the plural unless it is one.
func Counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// carryBackfill wants each day of the command once. A day that is being exported is waited for before it begins anew.
func (t *tenure) carryBackfill(c *ledger.Command, st *transfer.Stream) (changed, done bool) {
	today := schema.DayOf(time.Now(), t.service.Location)
	from, to := max(c.From, today-schema.Reach), min(c.To, today)
	if st.Kind.Snapshot() {
		from = max(from, today)
	}
	if from > to {
		c.Error = fmt.Sprintf("%s to %s has no day within the API's reach, %s to %s", c.From, c.To, today-schema.Reach, today)
		return true, true
	}
	if c.Taken == nil {
		now := time.Now().UTC()
		c.Taken, changed = &now, true
	}
	finished, failed := 0, 0
	for at := from; at <= to; at++ {
		name := ledger.DayName{Stream: st.Name, Day: at}
		if c.Again && t.schedule.Day(name).AgainBy != c.ID {
			if t.schedule.Restart(name, c.ID) {
				t.transfers.Day(name).Rows = dedup.Day{}
				changed = true
			}
			continue
		}
		switch t.schedule.Answer(name, *c.Taken) {
		case schedule.Exported:
			finished++
		case schedule.OutOfReach:
			failed++
		case schedule.Unanswered:
			t.schedule.Request(name)
		}
	}
	changed = c.Progress(finished+failed, int(to-from)+1) || changed
	if finished+failed < c.Total {
		return changed, false
	}
	c.Result = Counted(finished, "day") + " exported"
	if failed > 0 {
		c.Error = Counted(failed, "day") + " out of the API's reach"
	}
	return true, true
}
