package schedule

import (
	"slices"
	"strings"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// widening is a change of a filter that lets through more events than before, which
// earlier exports lack.
type widening struct {
	since *time.Time // nil: no such change
	// events and exclude are the filter of the events that such days certainly have.
	events, exclude []string
}

// note records a changed filter, and returns the new events. lacking: days lack events
// since an earlier change.
func (w *widening) note(was, is *ledger.Settings, lacking bool, now time.Time) (more string) {
	if more = widened(was, is); more != "" {
		narrow := ledger.Settings{Events: was.Events, ExcludeEvents: was.ExcludeEvents}
		if lacking {
			narrow = narrower(&narrow, &ledger.Settings{Events: w.events, ExcludeEvents: w.exclude})
		}
		*w = widening{since: &now, events: narrow.Events, exclude: narrow.ExcludeEvents}
	}
	if w.lacked(is) == "" { // the filter is narrow again
		*w = widening{}
	}
	return more
}

// lacked returns the events that are missing from days that were last exported before
// the filter was widened.
func (w *widening) lacked(is *ledger.Settings) string {
	if w.since == nil {
		return ""
	}
	return widened(&ledger.Settings{Events: w.events, ExcludeEvents: w.exclude}, is)
}

func (w *widening) load(record *ledger.Settings) {
	*w = widening{since: record.Wider, events: record.WiderEvents, exclude: record.WiderExclude}
}

func (w *widening) saveTo(record *ledger.Settings) {
	record.Wider, record.WiderEvents, record.WiderExclude = w.since, w.events, w.exclude
}

// lacking returns the settled days within reach that were last exported before the
// filter was widened, oldest first. Other days are exported again anyway.
func (s *Stream) lacking(now time.Time) []schema.Day {
	if s.wider.since == nil {
		return nil
	}
	var list []schema.Day
	today := s.policy.today(now)
	for at := s.first(today); at <= today; at++ {
		d := s.days[at]
		if d != nil && d.record.State == ledger.Settled && d.record.LastSuccess != nil && d.record.LastSuccess.Before(*s.wider.since) {
			list = append(list, at)
		}
	}
	return list
}

// passes reports whether a filter lets an event through.
func passes(f *ledger.Settings, event string) bool {
	return (f.Events == nil || slices.Contains(f.Events, event)) && !slices.Contains(f.ExcludeEvents, event)
}

// widened returns the events that a filter lets through and an earlier one did not;
// empty without any.
func widened(was, is *ledger.Settings) string {
	allowed := func(name string) bool { return passes(was, name) }
	switch {
	case is.Events != nil:
		return strings.Join(slices.DeleteFunc(slices.Clone(is.Events), allowed), ", ")
	case was.Events != nil:
		return "all but " + strings.Join(slices.Concat(was.Events, is.ExcludeEvents), ", ")
	}
	return strings.Join(without(was.ExcludeEvents, is.ExcludeEvents), ", ")
}

// narrower returns the filter of the events that both let through.
func narrower(a, b *ledger.Settings) ledger.Settings {
	if a.Events == nil && b.Events == nil {
		return ledger.Settings{ExcludeEvents: slices.Compact(slices.Sorted(slices.Values(slices.Concat(a.ExcludeEvents, b.ExcludeEvents))))}
	}
	both := ledger.Settings{Events: []string{}}
	for _, event := range slices.Concat(a.Events, b.Events) {
		if passes(a, event) && passes(b, event) && !slices.Contains(both.Events, event) {
			both.Events = append(both.Events, event)
		}
	}
	return both
}
