package pipeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"dfinery-kafka/schema"
)

// LeftError is the end of Once with work left: what is due and can't be had within reasonable time, or what it was stopped before.
type LeftError struct {
	Left    []Left
	Stopped bool // by Run's context. Nothing is in Left when that came before it was known what is due
}

// Left is one day that is due still.
type Left struct {
	Stream string
	Day    schema.Day
	Wait   schema.Wait
	Error  string // why its last call failed; empty when none did
}

func (e *LeftError) Error() string {
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
		case l.Wait.For == "": // it could be tried again at once, but has failed often enough
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

// onceWaits is the longest wait that Once sits out.
const onceWaits = time.Minute

// onceWants tells whether Once makes this export: one success a day, and as many failures as Once forgives.
func (t *tenure) onceWants(d due, now time.Time) bool {
	day := d.stream.days[d.day]
	switch {
	case d.probe:
		return d.failed < t.service.OnceAttempts && d.at.Sub(now) <= onceWaits
	case day == nil:
		return true
	}
	if day.done && !day.wanted || day.tried >= t.service.OnceAttempts {
		return false
	}
	// What was due when Once began, or failed since: not the next poll.
	return !d.at.After(now) || d.waits == schema.WaitBackoff && d.at.Sub(now) <= onceWaits
}

// onceEnd tells whether Once has come to its end, and what it leaves undone. Commands have the last word: one may be carried out with
// the last export, or want another.
func (t *tenure) onceEnd(ctx context.Context) (ended bool, left, err error) {
	if done, _ := t.onceDone(); !done {
		return false, nil, nil
	}
	if err := t.carryOut(ctx); err != nil {
		return false, nil, err
	}
	ended, left = t.onceDone()
	return ended && t.inFlight == 0 && len(t.replays) == 0, left, nil
}

// onceDone tells whether Once has nothing to do or to wait for any more, and what it leaves undone.
func (t *tenure) onceDone() (bool, error) {
	switch left, soon := t.onceLeft(); {
	case len(left) == 0:
		return true, nil
	case soon:
		return false, nil
	default:
		return true, &LeftError{Left: left}
	}
}

// stopped is how Run ends with its context: with Once, what is due and was not exported is left. t is the last tenure, or nil.
func (s *Service) stopped(t *tenure) error {
	switch {
	case !s.Once:
		return nil
	case t == nil:
		return &LeftError{Stopped: true}
	}
	t.waits = t.sourceWaits(time.Now()) // calls that were under way are over
	if left, _ := t.onceLeft(); len(left) > 0 {
		return &LeftError{Left: left, Stopped: true}
	}
	return nil
}

// onceLeft is what Once has not done yet, and whether any of it can be done soon.
func (t *tenure) onceLeft() (left []Left, soon bool) {
	now := time.Now()
	for _, d := range plan(t.streams, now, t.service.Location) {
		day := d.stream.days[d.day]
		failed := day != nil && day.record.Error != nil && !d.probe
		if !d.probe && (day != nil && day.done && !day.wanted || d.at.After(now) && !failed) {
			continue
		}
		l := Left{Stream: d.stream.Name, Day: d.day, Wait: d.starts(t.waits, now)}
		if failed {
			l.Error = day.record.Error.Detail
		} else if d.probe {
			l.Error = d.stream.probe.detail
		}
		switch stop := d.stream.stopped(now); {
		case stop.For == schema.WaitPaused:
			continue
		case stop.For != "":
			l.Wait = stop
			if l.Error == "" && d.stream.kept.Halted != nil {
				l.Error = d.stream.kept.Halted.Detail
			} else if l.Error == "" {
				l.Error = d.stream.blocked
			}
		case t.onceWants(d, now) && (d.at.After(now) || t.waits.For == ""):
			soon = true
		case t.onceWants(d, now):
			l.Wait = t.waits
			soon = soon || !t.waits.Until.IsZero() && t.waits.Until.Sub(now) <= onceWaits && t.waits.For == schema.WaitBackoff
		}
		left = append(left, l)
	}
	return left, soon
}
