// Package logging writes the log: times in UTC, and a repeated warning once a minute with a count.
package logging

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Dedup is a slog.Handler that drops repetitions. Lines of level warn or above that differ only
// in times, durations and numbers are repetitions. Dedup forwards the first one, and then at
// most one per window, with the number of dropped lines as "repeated".
//
// It has no goroutine. The last dropped line is forwarded before the next line that is
// forwarded, so that lines are in the order of their times and a recovery comes after the
// failure that it ends; with any line once the window is over; or by Flush.
type Dedup struct {
	next  slog.Handler
	shape string // of the attributes and groups that With has added
	lines *lines
}

// lines are the recent warnings, shared by a Dedup and the handlers derived from it.
type lines struct {
	window time.Duration
	mu     sync.Mutex // guards the following
	seen   map[string]*line
}

// line is a warning of the current window.
type line struct {
	forwarded time.Time // when it was forwarded last
	dropped   int       // repetitions since then
	last      slog.Record
	next      slog.Handler // of the last one
}

// maxLines limits the remembered warnings. Further ones are forwarded without deduplication.
const maxLines = 1000

// NewDedup returns a Dedup in front of another handler.
func NewDedup(next slog.Handler, window time.Duration) *Dedup {
	return &Dedup{next: next, lines: &lines{window: window, seen: map[string]*line{}}}
}

// Enabled implements slog.Handler.
func (d *Dedup) Enabled(ctx context.Context, level slog.Level) bool {
	return d.next.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (d *Dedup) WithAttrs(attrs []slog.Attr) slog.Handler {
	shape := []byte(d.shape)
	for _, a := range attrs {
		shape = appendShape(shape, a)
	}
	return &Dedup{next: d.next.WithAttrs(attrs), shape: string(shape), lines: d.lines}
}

// WithGroup implements slog.Handler.
func (d *Dedup) WithGroup(name string) slog.Handler {
	return &Dedup{next: d.next.WithGroup(name), shape: d.shape + name + "\x01", lines: d.lines}
}

// Handle implements slog.Handler.
func (d *Dedup) Handle(ctx context.Context, r slog.Record) error {
	key := ""
	if r.Level >= slog.LevelWarn {
		key = shapeOf(d.shape, r)
	}
	d.lines.mu.Lock()
	due := d.lines.takeExpired(r.Time, key)
	forward, dropped := true, 0
	if key != "" {
		forward, dropped = d.lines.record(key, r, d.next)
	}
	if forward {
		due = byTime(append(due, d.lines.takeDropped(r.Time)...))
	}
	d.lines.mu.Unlock()
	err := handle(ctx, due)
	if forward {
		err = errors.Join(err, d.next.Handle(ctx, repeated(r, dropped)))
	}
	return err
}

// Flush forwards the dropped lines that were not yet reported.
func (d *Dedup) Flush(ctx context.Context) error {
	d.lines.mu.Lock()
	due := d.lines.takeExpired(time.Now().Add(d.lines.window), "")
	d.lines.mu.Unlock()
	return handle(ctx, due)
}

// record counts a line, and reports whether to forward it and how many were dropped before it.
// The caller holds mu.
func (l *lines) record(key string, r slog.Record, next slog.Handler) (forward bool, dropped int) {
	known := l.seen[key]
	switch {
	case known == nil && len(l.seen) >= maxLines:
		return true, 0
	case known == nil:
		l.seen[key] = &line{forwarded: r.Time}
		return true, 0
	case r.Time.Sub(known.forwarded) >= l.window:
		dropped = known.dropped
		*known = line{forwarded: r.Time}
		return true, dropped
	}
	known.dropped++
	known.last, known.next = r.Clone(), next
	return false, 0
}

// takeExpired drops the lines whose window is over, except the one with the key, and returns
// those with repetitions, oldest first. The caller holds mu.
func (l *lines) takeExpired(now time.Time, except string) []*line {
	var due []*line
	for key, known := range l.seen {
		if key == except || now.Sub(known.forwarded) < l.window {
			continue
		}
		delete(l.seen, key)
		if known.dropped > 0 {
			due = append(due, known)
		}
	}
	return byTime(due)
}

// takeDropped returns the lines with repetitions and restarts their windows. The caller holds mu.
func (l *lines) takeDropped(now time.Time) []*line {
	var due []*line
	for _, known := range l.seen {
		if known.dropped > 0 {
			due = append(due, &line{dropped: known.dropped, last: known.last, next: known.next})
			*known = line{forwarded: now}
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

// handle forwards the last repetition of each line.
func handle(ctx context.Context, due []*line) error {
	var err error
	for _, d := range due {
		err = errors.Join(err, d.next.Handle(ctx, repeated(d.last, d.dropped-1)))
	}
	return err
}

// repeated adds the number of dropped lines, if there are any.
func repeated(r slog.Record, dropped int) slog.Record {
	if dropped == 0 {
		return r
	}
	r = r.Clone()
	r.AddAttrs(slog.Int("repeated", dropped))
	return r
}
