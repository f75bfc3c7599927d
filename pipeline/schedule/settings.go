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
	return ledger.Settings{Events: s.Filter.Events, ExcludeEvents: s.Filter.ExcludeEvents, Audience: s.Filter.Audience, Key: s.Key, Empty: string(s.Empty)}
}

// noteSettings compares the stream's settings with those that its days were exported with, and says what a change means. A ledger of an
// earlier release has none: then nothing can be said.
func (s *State) noteSettings(st *stream, service *ledger.Service, now time.Time) []Event {
	is := st.settings()
	was, known := service.Settings[st.Name]
	is.Wider = was.Wider
	var events []Event
	changed := func(detail string) {
		events = append(events, Event{Kind: SettingChanged, Stream: st.Name, Detail: detail})
	}
	if known {
		if more := widened(&was, &is); more != "" && !st.Kind.Snapshot() {
			is.Wider = &now
			changed("more events are exported now: " + more)
		}
		if was.Audience != is.Audience {
			changed("the next snapshot is of another audience; earlier ones are not exported again")
		}
		if was.Key != is.Key {
			changed(fmt.Sprintf("records have the key %s from now on, not %s, and may be in other partitions; those published before keep theirs", is.Key, was.Key))
		}
		if was.Empty != is.Empty {
			changed(fmt.Sprintf("empty cells are written by _EMPTY=%s from now on, not %s; rows published before stay as they are", is.Empty, was.Empty))
		}
	}
	st.setting = is
	if days := s.Lacking(st.Name, now); len(days) > 0 {
		events = append(events, Event{Kind: DaysLack, Stream: st.Name, Day: days[0], LastDay: days[len(days)-1], Count: len(days), Detail: days[0].String() + " to " + days[len(days)-1].String()})
	}
	return events
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

// widened names the events that a filter lets through and an earlier one did not; empty without any.
func widened(was, is *ledger.Settings) string {
	allowed := func(name string) bool {
		return (was.Events == nil || slices.Contains(was.Events, name)) && !slices.Contains(was.ExcludeEvents, name)
	}
	switch {
	case is.Events != nil:
		return strings.Join(slices.DeleteFunc(slices.Clone(is.Events), allowed), ", ")
	case was.Events != nil:
		return "all but " + strings.Join(slices.Concat(was.Events, is.ExcludeEvents), ", ")
	}
	return strings.Join(slices.DeleteFunc(slices.Clone(was.ExcludeEvents), func(name string) bool { return slices.Contains(is.ExcludeEvents, name) }), ", ")
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
	if service.Settings == nil {
		service.Settings = map[string]ledger.Settings{}
	}
	for name := range service.Settings {
		if s.stream(name) == nil {
			delete(service.Settings, name) // it was said
		}
	}
	for _, st := range s.streams {
		kept := service.Settings[st.Name]
		kept.Events, kept.ExcludeEvents, kept.Audience = st.setting.Events, st.setting.ExcludeEvents, st.setting.Audience
		kept.Key, kept.Empty, kept.Wider = st.setting.Key, st.setting.Empty, st.setting.Wider
		service.Settings[st.Name] = kept
	}
}
