package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/pipeline/command"
	"dfinery-kafka/pipeline/deadletter"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/schema"
)

func dlqReplayCommand() *cobra.Command {
	var f filter
	var yes, planOnly bool
	var patience time.Duration
	cmd := &cobra.Command{
		Use:   "replay [PARTITION/OFFSET …]",
		Short: "Replay dead letters, the named ones or all that match",
		Long: `Replay dead letters, the named ones or all that match the flags.

For dead letters of exports the day is exported again, once for all letters of that day. For the dead letter of a row the row is published from
its copy in the letter, unless it is already published. Of identical rows it publishes the one that the letter identifies. The day is
exported again instead if the copy is incomplete, or if the row would get an id other than that in the letter.

Resolved letters are skipped. The service's owner carries out the replay; repeating it is safe. The command first prints the plan and, on a terminal,
asks for confirmation unless --yes is given.`,
		Example: `  dfinery-kafka dlq replay 3/17 --yes
  dfinery-kafka dlq replay --kind row --code too_large --plan    # only show what it would do
  dfinery-kafka dlq replay --kind row --code too_large --yes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := errors.Join(f.check(), wrongPlaces(args)); err != nil {
				return &exitError{exitUsage, err}
			}
			from := f.from
			if len(args) > 0 {
				from = time.Time{} // find named letters even if they are older, to report that they do not match
			}
			c, a, letters, err := openLetters(cmd, from)
			if err != nil {
				return err
			}
			defer a.Close()
			selected := letters.Select(cmd.Context(), args, f.matches)
			resolving, err := openResolver(cmd, a.Service.Ledger(), selected)
			if err != nil {
				return err
			}
			each := func(visit visitor) error { return selected(resolving(visit)) }
			p := newPlan(c)
			if err := each(p.count); err != nil {
				return err
			}
			if err := p.print(cmd.OutOrStdout()); err != nil || planOnly || p.letters == 0 {
				return err
			}
			if p.rows == 0 && len(p.days) == 0 {
				return errors.New("nothing can be replayed")
			}
			if err := confirm(cmd, yes); err != nil {
				return err
			}
			r := &replayer{cmd: cmd, patience: patience, streams: map[string][][2]int64{}, stored: a.Service.Ledger()}
			return r.replay(p, each)
		},
	}
	f.flags(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask for confirmation")
	cmd.Flags().BoolVar(&planOnly, "plan", false, "only print the plan")
	cmd.Flags().DurationVar(&patience, "wait", 10*time.Minute, "how long to wait for the result; 0 does not wait")
	return cmd
}

// replayPlan is what a replay does. It holds at most one letter for each day that is exported
// again; the letters of rows are read a second time when they are sent to the owner.
type replayPlan struct {
	today         schema.Day
	config        *config.Config
	letters, rows int
	resolved      int // letters that are skipped
	byDay         int // rows that can't be published from their letters: their days are exported again
	days          map[ledger.DayName]*[2]int64
	lost          map[ledger.DayName]bool // out of the API's reach
}

func newPlan(c *config.Config) *replayPlan {
	return &replayPlan{today: schema.DayOf(time.Now(), c.DFINERY.Timezone.Location), config: c, days: map[ledger.DayName]*[2]int64{}, lost: map[ledger.DayName]bool{}}
}

func (p *replayPlan) count(l *deadletter.Letter) error {
	if l.Resolution == deadletter.Resolved {
		p.resolved++
		return nil
	}
	p.letters++
	fromCopy, day := p.replayOf(l)
	name := ledger.DayName{Stream: l.Stream, Day: day}
	switch {
	case fromCopy:
		p.rows++
	case !day.InReach(p.today):
		p.lost[name] = true
	default:
		if l.Kind == schema.KindRow {
			p.byDay++
		}
		p.days[name] = &[2]int64{int64(l.Offset.Partition), l.Offset.Offset}
	}
	return nil
}

// replayOf is command.ReplayOf of a letter, by the configuration of its stream.
func (p *replayPlan) replayOf(l *deadletter.Letter) (fromCopy bool, day schema.Day) {
	var s config.Stream
	if configured := p.config.Stream(l.Stream); configured != nil {
		s = *configured
	}
	return command.ReplayOf(&l.DeadLetter, s.Export, s.Mode == config.ModeChanges, p.today)
}

// print prints the plan. That no letter matches is an error.
func (p *replayPlan) print(w io.Writer) (err error) {
	switch {
	case p.letters > 0:
		_, err = fmt.Fprintln(w, p)
	case p.resolved > 0:
		_, err = fmt.Fprintf(w, "nothing to do: %s, already resolved\n", schema.Pluralize(p.resolved, "dead letter"))
	default:
		err = errors.New("no dead letter matches: see dfinery-kafka dlq list")
	}
	return err
}

func (p *replayPlan) String() string {
	count := schema.Pluralize
	text := fmt.Sprintf("plan: %s: %s to be read again, %s to be exported again (%s)", count(p.letters, "dead letter"), count(p.rows, "row"),
		count(len(p.days), "day"), count(len(p.days), "call"))
	if p.byDay > 0 {
		text += fmt.Sprintf(", also for %s whose copies can't be published", count(p.byDay, "row letter"))
	}
	if n := len(p.lost); n > 0 {
		text += fmt.Sprintf("; %s out of the API's reach, which can't be exported any more", count(n, "day"))
	}
	if p.resolved > 0 {
		text += fmt.Sprintf("; skipped: %s, already resolved", count(p.resolved, "dead letter"))
	}
	return text
}

// lettersPerCommand keeps a command's record well below Kafka's size limit.
const lettersPerCommand = 20_000

// replayer sends the owner commands to replay letters, up to lettersPerCommand of a stream at a
// time.
type replayer struct {
	cmd      *cobra.Command
	stored   *store.Ledger
	patience time.Duration
	streams  map[string][][2]int64 // not sent yet
	failed   error
}

func (r *replayer) replay(p *replayPlan, each func(visitor) error) error {
	for day, at := range p.days {
		r.streams[day.Stream] = append(r.streams[day.Stream], *at)
	}
	err := each(func(l *deadletter.Letter) error {
		if fromCopy, _ := p.replayOf(l); l.Resolution == deadletter.Resolved || !fromCopy {
			return nil
		}
		r.streams[l.Stream] = append(r.streams[l.Stream], [2]int64{int64(l.Offset.Partition), l.Offset.Offset})
		if len(r.streams[l.Stream]) < lettersPerCommand {
			return nil
		}
		return r.ask(l.Stream)
	})
	for _, stream := range slices.Sorted(maps.Keys(r.streams)) {
		if err == nil && len(r.streams[stream]) > 0 {
			err = r.ask(stream)
		}
	}
	return errors.Join(r.failed, err)
}

// ask submits the command and waits for its result. Failures are collected and reported at the end.
func (r *replayer) ask(stream string) error {
	c := newCommand(r.stored, stream)
	c.Verb, c.Letters = command.VerbReplay, r.streams[stream]
	if err := r.stored.Submit(r.cmd.Context(), c); err != nil {
		return err
	}
	r.streams[stream] = r.streams[stream][:0]
	r.failed = errors.Join(r.failed, await(r.cmd.Context(), r.cmd.OutOrStdout(), r.stored, c, r.patience))
	return r.cmd.Context().Err()
}
