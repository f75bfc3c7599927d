package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// settings are those of the stream that are kept to find out what has changed.
func (s *stream) settings() ledger.Settings {
	return ledger.Settings{Events: s.Filter.Events, ExcludeEvents: s.Filter.ExcludeEvents, Properties: s.Filter.Properties, Audience: s.Filter.Audience,
		Key: string(s.Key), Empty: string(s.Empty), Format: s.Format}
}

// noteSettings compares the stream's settings with those that its days were exported with, and says what a change means. A ledger of an
// earlier release has none: then nothing can be said. topic is the one that the stream had.
func (s *State) noteSettings(st *stream, service *ledger.Service, topic string, now time.Time) []Event {
	was, known := service.Settings[st.Name]
	var events []Event
	changed := func(detail string) {
		events = append(events, Event{Kind: SettingChanged, Stream: st.Name, Detail: detail})
	}
	is := st.settings()
	is.Wider, is.WiderEvents, is.WiderExclude = was.Wider, was.WiderEvents, was.WiderExclude
	st.setting = is
	st.noteNames(&was, now)
	if known && !st.Kind.Snapshot() {
		if more := s.noteWider(st, &was, now); more != "" {
			changed("more events are exported now: " + more)
		}
	}
	if known {
		if was.Audience != is.Audience {
			changed("the next snapshot is of another audience; earlier ones are not exported again")
		}
		if was.Key != is.Key {
			changed(fmt.Sprintf("records have the key %s from now on, not %s, and may be in other partitions; those published before keep theirs", is.Key, was.Key))
		}
		if was.Empty != is.Empty {
			changed(fmt.Sprintf("empty cells are written by _EMPTY=%s from now on, not %s; rows published before stay as they are", is.Empty, was.Empty))
		}
		if was.Format != is.Format && was.Format != "" {
			changed(formatChange(was.Format, is.Format, topic == st.Topic && st.kept.HasRows))
		}
	}
	if days := s.Lacking(st.Name, now); len(days) > 0 {
		events = append(events, Event{Kind: DaysLack, Stream: st.Name, Day: days[0], LastDay: days[len(days)-1], Days: days, Count: len(days),
			Detail: days[0].String() + " to " + days[len(days)-1].String(), EventName: st.lacked()})
	}
	return events
}

// formatChange says what another form of values means. A topic that holds values takes none of another format.
func formatChange(was, is string, held bool) string {
	if held {
		return fmt.Sprintf("values have the format %s now, not %s: the topic holds values of the former one, so the stream is halted until _TOPIC names another topic, or _FORMAT is %s again", is, was, was)
	}
	return fmt.Sprintf("values have the format %s from now on, not %s", is, was)
}

// noteWider notes since when the filter lets more events through than the days may have, and names those that are new.
func (s *State) noteWider(st *stream, was *ledger.Settings, now time.Time) string {
	is := &st.setting
	more := widened(was, is)
	if more != "" {
		narrow := ledger.Settings{Events: was.Events, ExcludeEvents: was.ExcludeEvents}
		if len(s.Lacking(st.Name, now)) > 0 { // since an earlier change
			narrow = narrower(&narrow, &ledger.Settings{Events: is.WiderEvents, ExcludeEvents: is.WiderExclude})
		}
		is.Wider, is.WiderEvents, is.WiderExclude = &now, narrow.Events, narrow.ExcludeEvents
	}
	if st.lacked() == "" { // the filter is as narrow again
		is.Wider, is.WiderEvents, is.WiderExclude = nil, nil, nil
	}
	return more
}

// lacked names the events that days lack which were last exported before the filter was widened.
func (s *stream) lacked() string {
	if s.setting.Wider == nil {
		return ""
	}
	return widened(&ledger.Settings{Events: s.setting.WiderEvents, ExcludeEvents: s.setting.WiderExclude}, &s.setting)
}

// Lacking are the settled days within reach that were last exported before the stream's filter let more events through, oldest first. Other
// days are exported again by themselves.
func (s *State) Lacking(stream string, now time.Time) []schema.Day {
	st := s.stream(stream)
	var days []schema.Day
	if st == nil || st.setting.Wider == nil {
		return nil
	}
	for at := st.first(s.today(now)); at <= s.today(now); at++ {
		if d := st.days[at]; d != nil && d.record.State == ledger.Settled && d.record.LastSuccess != nil && d.record.LastSuccess.Before(*st.setting.Wider) {
			days = append(days, at)
		}
	}
	return days
}

// passes reports whether a filter lets an event through.
func passes(f *ledger.Settings, event string) bool {
	return (f.Events == nil || slices.Contains(f.Events, event)) && !slices.Contains(f.ExcludeEvents, event)
}

// widened names the events that a filter lets through and an earlier one did not; empty without any.
func widened(was, is *ledger.Settings) string {
	allowed := func(name string) bool { return passes(was, name) }
	switch {
	case is.Events != nil:
		return strings.Join(slices.DeleteFunc(slices.Clone(is.Events), allowed), ", ")
	case was.Events != nil:
		return "all but " + strings.Join(slices.Concat(was.Events, is.ExcludeEvents), ", ")
	}
	return strings.Join(slices.DeleteFunc(slices.Clone(was.ExcludeEvents), func(name string) bool { return slices.Contains(is.ExcludeEvents, name) }), ", ")
}

// narrower is the filter that lets through what both do.
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

// removed are the streams that the ledger knows and that are not configured any more.
func (s *State) removed(service *ledger.Service) []Event {
	var events []Event
	for name := range service.Settings {
		if s.stream(name) == nil {
			events = append(events, Event{Kind: StreamRemoved, Stream: name})
		}
	}
	slices.SortFunc(events, func(a, b Event) int { return strings.Compare(a.Stream, b.Stream) })
	return events
}

// enterSettings writes what noteSettings compares with.
func (s *State) enterSettings(service *ledger.Service) {
	service.Timezone = s.policy.Location.String()
	if service.Settings == nil {
		service.Settings = map[string]ledger.Settings{}
	}
	for name := range service.Settings {
		if s.stream(name) == nil {
			delete(service.Settings, name) // it was said
		}
	}
	for _, st := range s.streams {
		kept, is := service.Settings[st.Name], &st.setting
		kept.Events, kept.ExcludeEvents, kept.Audience, kept.Key, kept.Empty, kept.Format = is.Events, is.ExcludeEvents, is.Audience, is.Key, is.Empty, is.Format
		kept.Properties, kept.NamesSince, kept.PropertiesMet = is.Properties, is.NamesSince, is.PropertiesMet
		kept.Wider, kept.WiderEvents, kept.WiderExclude = is.Wider, is.WiderEvents, is.WiderExclude
		kept.Pace = st.pace()
		service.Settings[st.Name] = kept
	}
}
