package pipeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"dfinery-kafka/pipeline/schedule"
)

// IncompleteError reports that Once ended with work left: exports that are due but
// can't be made within reasonable time, or before which it was stopped.
type IncompleteError struct {
	Left    []schedule.Left
	Stopped bool // by Run's context. Left is empty if the due exports were not yet known
}

func (e *IncompleteError) Error() string {
	if len(e.Left) == 0 {
		return "stopped before it was known what is due"
	}
	var b strings.Builder
	if len(e.Left) == 1 {
		b.WriteString("1 export is left")
	} else {
		fmt.Fprintf(&b, "%d exports are left", len(e.Left))
	}
	for i, l := range e.Left {
		if i == 10 {
			fmt.Fprintf(&b, "\n  and %d more", len(e.Left)-i)
			break
		}
		fmt.Fprintf(&b, "\n  %s %s: ", l.Stream, l.Day)
		switch {
		case l.Wait.For == "" && e.Stopped:
			b.WriteString("stopped before it was exported")
		case l.Wait.For == "": // it could be retried at once, but has failed often enough
			b.WriteString("given up for this run")
		case l.Wait.Until.IsZero():
			fmt.Fprintf(&b, "waits for %s", l.Wait.For)
		default:
			fmt.Fprintf(&b, "waits for %s until %s", l.Wait.For, l.Wait.Until.UTC().Format(time.RFC3339))
		}
		if l.Error != "" {
			fmt.Fprintf(&b, " (%s)", l.Error)
		}
	}
	return b.String()
}

// onceEnd reports whether Once has ended, and the work left. Commands are executed
// last: one may complete with the last export, or request another one.
func (o *owner) onceEnd(ctx context.Context) (ended bool, left, err error) {
	if done, _ := o.onceDone(); !done {
		return false, nil, nil
	}
	if err := o.executeCommands(ctx); err != nil {
		return false, nil, err
	}
	ended, left = o.onceDone()
	return ended && o.transfers.Idle() && !o.commands.Replaying(), left, nil
}

// onceDone reports whether Once has nothing more to do or to wait for, and the work
// left.
func (o *owner) onceDone() (bool, error) {
	switch left, soon := o.schedule.Left(o.exports.waits, time.Now()); {
	case len(left) == 0:
		return true, nil
	case soon:
		return false, nil
	default:
		return true, &IncompleteError{Left: left}
	}
}

// unfinished returns the due exports that were not made when the ownership was stopped;
// nil if there are none.
func (o *owner) unfinished() error {
	waits := o.exports.sourceWaits(time.Now()) // calls in flight have ended
	if left, _ := o.schedule.Left(waits, time.Now()); len(left) > 0 {
		return &IncompleteError{Left: left, Stopped: true}
	}
	return nil
}
