package schedule

import (
	"fmt"
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// MaxEventNames is the maximum number of event names that are recorded for a stream.
const MaxEventNames = 2000

// NameKind is the kind of a name in a filter.
type NameKind string

// The kinds of names.
const (
	NameOfEvent    NameKind = "event"
	NameOfProperty NameKind = "property"
)

// names are the known names of events and properties in the rows of a stream.
type names struct {
	events   []string
	since    *time.Time // when the filter got its current names; nil: unknown
	seen     []string   // properties of the filter that rows had since then
	reported bool       // the filter's unknown names were reported
}

// begin records when the filter got its current names.
func (n *names) begin(was, is *ledger.Settings, now time.Time) {
	n.since = was.NamesSince
	if n.since == nil || len(without(is.Events, was.Events))+len(without(is.Properties, was.Properties)) > 0 {
		n.since = &now
	}
	n.seen = nil
	n.markSeen(is.Properties, was.PropertiesMet)
}

// markSeen records properties of the filter that rows had.
func (n *names) markSeen(properties, had []string) {
	for _, name := range properties {
		if slices.Contains(had, name) && !slices.Contains(n.seen, name) {
			n.seen = append(n.seen, name)
		}
	}
}

// unseen returns those of the filter's properties that no row is known to have had.
func (n *names) unseen(properties []string) []string { return without(properties, n.seen) }

func (n *names) saveTo(record *ledger.Settings) {
	record.NamesSince, record.PropertiesMet = n.since, n.seen
}

// EventNames returns the known names of the stream's events.
func (s *Stream) EventNames() []string { return s.names.events }

// UnseenProperties returns the properties of the stream's filter that no row is known
// to have had.
func (s *Stream) UnseenProperties() []string { return s.names.unseen(s.Filter.Properties) }

// UnknownNames reports, once each, the events and properties in the streams' filters
// that no row had, although every day was exported since they were configured.
func (s *State) UnknownNames(now time.Time) []Event {
	var events []Event
	for _, st := range s.streams {
		events = append(events, st.unknownNames(s.streams, now)...)
	}
	return events
}

// unknownNames reports those of the stream. A similar event of any stream may be
// suggested.
func (s *Stream) unknownNames(all []*Stream, now time.Time) []Event {
	n := &s.names
	if n.reported || n.since == nil || len(n.events) >= MaxEventNames {
		return nil
	}
	events, properties := without(s.Filter.Events, n.events), s.UnseenProperties()
	if len(events)+len(properties) == 0 {
		return nil
	}
	days, rows := s.coveredSince(*n.since, s.policy.today(now))
	if days == 0 {
		return nil
	}
	n.reported = true
	var unknown []Event
	tell := func(kind NameKind, name string, known, standard []string) {
		e := Event{Kind: NameUnknown, Stream: s.Name, EventName: name, NameKind: kind, Count: days}
		if e.Near = nearestOther(name, known); e.Near == "" && !slices.Contains(known, name) {
			e.Near = nearestOther(name, standard)
		}
		unknown = append(unknown, e)
	}
	var known []string
	for _, st := range all {
		known = append(known, st.names.events...)
	}
	for _, name := range events {
		tell(NameOfEvent, name, known, schema.StandardEvents())
	}
	if rows > 0 { // without rows nothing can be concluded
		for _, name := range properties {
			tell(NameOfProperty, name, s.columns.last, schema.StandardColumns())
		}
	}
	return unknown
}

// nearestOther returns the name that is most similar to another one; empty if none is
// similar.
func nearestOther(name string, names []string) string {
	return schema.Nearest(name, without(names, []string{name}), 1+len(name)/4)
}

// Unknown returns the text of a NameUnknown event.
func (e *Event) Unknown() string {
	article := map[NameKind]string{NameOfEvent: "an", NameOfProperty: "a"}[e.NameKind]
	text := fmt.Sprintf("no row of %d days had %s %s %s", e.Count, article, e.NameKind, e.EventName)
	if e.Near != "" {
		text += ": did you mean " + e.Near + "?"
	}
	return text
}

// coveredSince counts the days and their rows if every day was exported since then and
// at least one of them is over; otherwise it returns 0. For snapshots the last one is
// enough. Gaps can't be exported.
func (c *calendar) coveredSince(then time.Time, today schema.Day) (days, rows int) {
	over := c.Kind.Snapshot()
	for at := c.first(today); at <= today; at++ {
		d := c.days[at]
		switch {
		case d != nil && d.record.State == ledger.Gap:
			continue
		case d == nil || !d.hadSuccess() || d.record.LastSuccess.Before(then) || len(d.record.MissingEvents) > 0:
			return 0, 0
		}
		over = over || at < today
		days++
		rows += d.record.Rows
	}
	if !over {
		return 0, 0
	}
	return days, rows
}
