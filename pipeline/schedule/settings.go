package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dfinery-kafka/pipeline/ledger"
)

// noteSettings compares the stream's settings with those that its days were exported
// with, and says what a change means. A ledger of an earlier release has none: then
// nothing can be said. topic is the one that the stream had.
func (s *Stream) noteSettings(service *ledger.Service, topic string, now time.Time) []Event {
	was, known := service.Settings[s.Name]
	is := s.settings()
	s.wider.load(&was)
	s.names.begin(&was, &is, now)
	var events []Event
	changed := func(detail string) {
		events = append(events, Event{Kind: SettingChanged, Stream: s.Name, Detail: detail})
	}
	if known && !s.Kind.Snapshot() {
		if more := s.wider.note(&was, &is, len(s.lacking(now)) > 0, now); more != "" {
			changed("more events are exported now: " + more)
		}
	}
	if known {
		for _, detail := range settingChanges(&was, &is, topic == s.Topic && s.hasRows) {
			changed(detail)
		}
	}
	if lacking := s.lacking(now); len(lacking) > 0 {
		first, last := lacking[0], lacking[len(lacking)-1]
		events = append(events, Event{Kind: DaysLack, Stream: s.Name, Day: first, LastDay: last, Days: lacking, Count: len(lacking),
			Detail: first.String() + " to " + last.String(), EventName: s.wider.lacked(&is)})
	}
	return events
}

// settingChanges say what other settings mean than those of before. held says that the
// topic has values.
func settingChanges(was, is *ledger.Settings, held bool) (changes []string) {
	if was.Audience != is.Audience {
		changes = append(changes, "the next snapshot is of another audience; earlier ones are not exported again")
	}
	if was.Key != is.Key {
		changes = append(changes, fmt.Sprintf("records have the key %s from now on, not %s, and may be in other partitions; those published before keep theirs", is.Key, was.Key))
	}
	if was.Empty != is.Empty {
		changes = append(changes, fmt.Sprintf("empty cells are written by _EMPTY=%s from now on, not %s; rows published before stay as they are", is.Empty, was.Empty))
	}
	if was.Format != is.Format && was.Format != "" {
		changes = append(changes, formatChange(was.Format, is.Format, held))
	}
	return changes
}

// formatChange says what another form of values means. A topic that holds values takes
// none of another format.
func formatChange(was, is string, held bool) string {
	if held {
		return fmt.Sprintf("values have the format %s now, not %s: the topic holds values of the former one, so the stream is halted until _TOPIC names another topic, or _FORMAT is %s again", is, was, was)
	}
	return fmt.Sprintf("values have the format %s from now on, not %s", is, was)
}

// enterSettings writes what noteSettings compares with.
func (s *Stream) enterSettings(record *ledger.Settings) {
	is := s.settings()
	record.Events, record.ExcludeEvents, record.Properties = is.Events, is.ExcludeEvents, is.Properties
	record.Audience, record.Key, record.Empty, record.Format = is.Audience, is.Key, is.Empty, is.Format
	record.Pace = s.pace()
	s.names.enter(record)
	s.wider.enter(record)
}

// removedStreams are those that the ledger knows and that are not configured any more.
func removedStreams(service *ledger.Service, configured []*Stream) []Event {
	var events []Event
	for name := range service.Settings {
		if !slices.ContainsFunc(configured, func(s *Stream) bool { return s.Name == name }) {
			events = append(events, Event{Kind: StreamRemoved, Stream: name})
		}
	}
	slices.SortFunc(events, func(a, b Event) int { return strings.Compare(a.Stream, b.Stream) })
	return events
}
