package schedule

import (
	"fmt"
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// MaxEventNames bounds how many names of events are remembered of a stream.
const MaxEventNames = 2000

// What a filter names.
const (
	nameOfEvent    = "event"
	nameOfProperty = "property"
)

// names are the names of events and properties that rows of a stream had, as far as they are known.
type names struct {
	events   []string
	since    *time.Time // when the filter began to name what it names; nil: not known
	met      []string   // properties of the filter that rows have had since
	reported bool       // names of the filter that do not occur were reported
}

// begin notes since when the filter names what it names.
func (n *names) begin(was, is *ledger.Settings, now time.Time) {
	fresh := func(is, was []string) bool {
		return slices.ContainsFunc(is, func(name string) bool { return !slices.Contains(was, name) })
	}
	n.since = was.NamesSince
	if n.since == nil || fresh(is.Events, was.Events) || fresh(is.Properties, was.Properties) {
		n.since = &now
	}
	n.met = nil
	n.meet(is.Properties, was.PropertiesMet)
}

// meet notes properties of the filter that rows have had.
func (n *names) meet(properties, had []string) {
	for _, name := range properties {
		if slices.Contains(had, name) && !slices.Contains(n.met, name) {
			n.met = append(n.met, name)
		}
	}
}

// unmet are those of the filter's properties that no row is known to have had.
func (n *names) unmet(properties []string) []string { return lacks(properties, n.met) }

// lacks are the names that are not in the list.
func lacks(names, list []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(list, name) })
}

func (n *names) enter(record *ledger.Settings) {
	record.NamesSince, record.PropertiesMet = n.since, n.met
}

// EventNames are the names of the stream's events that are known.
func (s *Stream) EventNames() []string { return s.names.events }

// UnmetProperties are the properties of the stream's filter that no row is known to have had.
func (s *Stream) UnmetProperties() []string { return s.names.unmet(s.Filter.Properties) }

// UnknownNames are the events and properties that the streams' filters name, and that
// no row has had although every day was exported since they are named. Each is reported
// once.
func (s *State) UnknownNames(now time.Time) []Event {
	var events []Event
	for _, st := range s.streams {
		events = append(events, st.unknownNames(s.streams, now)...)
	}
	return events
}

// unknownNames are those of the stream. An event of any stream may be meant.
func (s *Stream) unknownNames(all []*Stream, now time.Time) []Event {
	n := &s.names
	if n.reported || n.since == nil || len(n.events) >= MaxEventNames {
		return nil
	}
	events, properties := lacks(s.Filter.Events, n.events), s.UnmetProperties()
	if len(events)+len(properties) == 0 {
		return nil
	}
	days, rows := s.coveredSince(*n.since, s.policy.today(now))
	if days == 0 {
		return nil
	}
	n.reported = true
	var unknown []Event
	tell := func(what, name string, known, standard []string) {
		e := Event{Kind: NameUnknown, Stream: s.Name, EventName: name, Detail: what, Count: days}
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
		tell(nameOfEvent, name, known, schema.StandardEvents())
	}
	if rows > 0 { // else they say nothing
		for _, name := range properties {
			tell(nameOfProperty, name, s.columns.last, schema.StandardColumns())
		}
	}
	return unknown
}

// nearestOther is the name that is most like another one; empty if none is.
func nearestOther(name string, names []string) string {
	others := slices.DeleteFunc(slices.Clone(names), func(other string) bool { return other == name })
	return schema.Nearest(name, others, 1+len(name)/4)
}

// Unknown is what NameUnknown says.
func (e *Event) Unknown() string {
	article := map[string]string{nameOfEvent: "an", nameOfProperty: "a"}[e.Detail]
	text := fmt.Sprintf("no row of %d days had %s %s %s", e.Count, article, e.Detail, e.EventName)
	if e.Near != "" {
		text += ": did you mean " + e.Near + "?"
	}
	return text
}

// coveredSince counts the days, and their rows, if each was exported since then, and
// one of them is over; else there are none. Of snapshots the last one is enough. A gap
// can't be exported.
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
