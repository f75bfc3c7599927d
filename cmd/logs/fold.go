// Package logs writes the log: times in UTC, and a repeated warning said once, and then how often it came.
package logs

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Fold is a slog.Handler in front of another one. Of lines of level warn or above that are the same but for times, durations and
// numbers it hands on the first, and then one every window at most, with the number of those left out before it as "repeated".
//
// It has no goroutine: what was left out last is said before the next line that is handed on, so that lines stand in the order of their
// times and a recovery comes after what it ends; with any line once the window is over; or by Flush.
type Fold struct {
	next  slog.Handler
	shape string // of the attributes and groups that With has added
	lines *lines
}

// lines are what a Fold and those derived from it remember.
type lines struct {
	window time.Duration
	mu     sync.Mutex
	seen   map[string]*line
}

// line is one warning that has come within the window.
type line struct {
	said time.Time // when it was handed on last
	left int       // how many were left out since
	last slog.Record
	next slog.Handler // that the last one was meant for
}

// mostLines bounds the lines that are remembered. Others are handed on as they come.
const mostLines = 1000

// NewFold puts a Fold in front of next.
func NewFold(next slog.Handler, window time.Duration) *Fold {
	return &Fold{next: next, lines: &lines{window: window, seen: map[string]*line{}}}
}

// Enabled implements slog.Handler.
func (f *Fold) Enabled(ctx context.Context, level slog.Level) bool { return f.next.Enabled(ctx, level) }

// WithAttrs implements slog.Handler.
func (f *Fold) WithAttrs(attrs []slog.Attr) slog.Handler {
	shape := []byte(f.shape)
	for _, a := range attrs {
		shape = appendShape(shape, a)
	}
	return &Fold{next: f.next.WithAttrs(attrs), shape: string(shape), lines: f.lines}
}

// WithGroup implements slog.Handler.
func (f *Fold) WithGroup(name string) slog.Handler {
	return &Fold{next: f.next.WithGroup(name), shape: f.shape + name + "\x01", lines: f.lines}
}

// Handle implements slog.Handler.
func (f *Fold) Handle(ctx context.Context, r slog.Record) error {
	key := ""
	if r.Level >= slog.LevelWarn {
		key = shapeOf(f.shape, r)
	}
	f.lines.mu.Lock()
	due := f.lines.due(r.Time, key)
	say, left := true, 0
	if key != "" {
		say, left = f.lines.meet(key, r, f.next)
	}
	if say {
		due = byTime(append(due, f.lines.left(r.Time)...))
	}
	f.lines.mu.Unlock()
	err := hand(ctx, due)
	if say {
		err = errors.Join(err, f.next.Handle(ctx, repeated(r, left)))
	}
	return err
}

// Flush says what was left out and not said yet.
func (f *Fold) Flush(ctx context.Context) error {
	f.lines.mu.Lock()
	due := f.lines.due(time.Now().Add(f.lines.window), "")
	f.lines.mu.Unlock()
	return hand(ctx, due)
}

// meet tells whether a line is handed on, and how many were left out before it. The caller holds mu.
func (l *lines) meet(key string, r slog.Record, next slog.Handler) (say bool, left int) {
	known := l.seen[key]
	switch {
	case known == nil && len(l.seen) >= mostLines:
		return true, 0
	case known == nil:
		l.seen[key] = &line{said: r.Time}
		return true, 0
	case r.Time.Sub(known.said) >= l.window:
		left = known.left
		*known = line{said: r.Time}
		return true, left
	}
	known.left++
	known.last, known.next = r.Clone(), next
	return false, 0
}

// due takes the lines out whose window is over at now, but for the one that comes at this moment, oldest first. The caller holds mu.
func (l *lines) due(now time.Time, coming string) []*line {
	var due []*line
	for key, known := range l.seen {
		if key == coming || now.Sub(known.said) < l.window {
			continue
		}
		delete(l.seen, key)
		if known.left > 0 {
			due = append(due, known)
		}
	}
	return byTime(due)
}

// left takes what was left out of lines whose window goes on. The caller holds mu.
func (l *lines) left(now time.Time) []*line {
	var due []*line
	for _, known := range l.seen {
		if known.left > 0 {
			due = append(due, &line{left: known.left, last: known.last, next: known.next})
			*known = line{said: now}
		}
	}
	return due
}

func byTime(due []*line) []*line {
	slices.SortFunc(due, func(a, b *line) int {
		return cmp.Or(a.last.Time.Compare(b.last.Time), cmp.Compare(a.last.Message, b.last.Message))
	})
	return due
}

// hand hands on the last of each line that was left out.
func hand(ctx context.Context, due []*line) error {
	var err error
	for _, d := range due {
		err = errors.Join(err, d.next.Handle(ctx, repeated(d.last, d.left-1)))
	}
	return err
}

func repeated(r slog.Record, left int) slog.Record {
	if left == 0 {
		return r
	}
	r = r.Clone()
	r.AddAttrs(slog.Int("repeated", left))
	return r
}
