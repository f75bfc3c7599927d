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

// noteNames notes since when the stream's filter names what it names.
func (s *stream) noteNames(was *ledger.Settings, now time.Time) {
	is := &s.setting
	fresh := func(is, was []string) bool {
		return slices.ContainsFunc(is, func(name string) bool { return !slices.Contains(was, name) })
	}
	is.NamesSince = was.NamesSince
	if is.NamesSince == nil || fresh(is.Events, was.Events) || fresh(is.Properties, was.Properties) {
		is.NamesSince = &now
	}
	is.PropertiesMet = nil
	s.meetProperties(was.PropertiesMet)
}

// meetProperties notes properties of the filter that rows have had.
func (s *stream) meetProperties(names []string) {
	for _, name := range s.setting.Properties {
		if slices.Contains(names, name) && !slices.Contains(s.setting.PropertiesMet, name) {
			s.setting.PropertiesMet = append(s.setting.PropertiesMet, name)
		}
	}
}

// UnmetProperties are the properties of the stream's filter that no row is known to have had.
func (s *State) UnmetProperties(stream string) []string {
	st := s.stream(stream)
	return slices.DeleteFunc(slices.Clone(st.setting.Properties), func(name string) bool { return slices.Contains(st.setting.PropertiesMet, name) })
}

// UnknownNames are the events and properties that the streams' filters name, and that no row has had although every day was exported since
// they are named. Each is reported once.
func (s *State) UnknownNames(now time.Time) []Event {
	var events []Event
	for _, st := range s.streams {
		if !st.namesTold {
			events = append(events, s.unknownNames(st, now)...)
		}
	}
	return events
}

func (s *State) unknownNames(st *stream, now time.Time) []Event {
	unknown := slices.DeleteFunc(slices.Clone(st.setting.Events), func(name string) bool { return slices.Contains(st.kept.Events, name) })
	properties := s.UnmetProperties(st.Name)
	if len(unknown)+len(properties) == 0 || st.setting.NamesSince == nil || len(st.kept.Events) >= MaxEventNames {
		return nil
	}
	days, rows := st.coveredDays(s.today(now))
	if days == 0 {
		return nil
	}
	st.namesTold = true
	var events []Event
	tell := func(what, name string, known, standard []string) {
		e := Event{Kind: NameUnknown, Stream: st.Name, EventName: name, Detail: what, Count: days}
		if e.Near = nearestOther(name, known); e.Near == "" && !slices.Contains(known, name) {
			e.Near = nearestOther(name, standard)
		}
		events = append(events, e)
	}
	for _, name := range unknown {
		tell(nameOfEvent, name, s.eventNames(), schema.StandardEvents())
	}
	if rows > 0 { // else they say nothing
		for _, name := range properties {
			tell(nameOfProperty, name, st.kept.Columns, schema.StandardColumns())
		}
	}
	return events
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

// eventNames are those known of any stream.
func (s *State) eventNames() []string {
	var names []string
	for _, st := range s.streams {
		names = append(names, st.kept.Events...)
	}
	return names
}

// coveredDays counts the days, and their rows, if each was exported since the filter names what it names, and one of them is over; else there
// are none. Of snapshots the last one is enough. A gap can't be exported.
func (s *stream) coveredDays(today schema.Day) (days, rows int) {
	first := s.first(today)
	over := s.Kind.Snapshot()
	for at := first; at <= today; at++ {
		d := s.days[at]
		switch {
		case d != nil && d.record.State == ledger.Gap:
			continue
		case d == nil || !d.hadSuccess() || d.record.LastSuccess.Before(*s.setting.NamesSince) || len(d.record.MissingEvents) > 0:
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
