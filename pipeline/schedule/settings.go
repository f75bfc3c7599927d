package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// noteSettings compares the stream's settings with those with which its days were
// exported, and returns events that describe the changes. The ledger of an earlier
// release has no settings: then there are none. topic is the stream's former topic.
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
		for _, detail := range settingChanges(s.Name, &was, &is, topic == s.Topic && s.exportHadRows) {
			changed(detail)
		}
	}
	if lacking := s.lacking(now); len(lacking) > 0 {
		first, last := lacking[0], lacking[len(lacking)-1]
		events = append(events, Event{Kind: DaysLack, Stream: s.Name, Day: first, LastDay: last, Days: lacking, Count: len(lacking),
			EventName: s.wider.lacked(&is)})
	}
	return events
}

// settingChanges describes the effects of changed settings. held: the topic has values.
func settingChanges(stream string, was, is *ledger.Settings, held bool) (changes []string) {
	if was.Audience != is.Audience {
		changes = append(changes, "the next snapshot has a different audience; earlier ones are not exported again")
	}
	if was.Key != is.Key {
		changes = append(changes, fmt.Sprintf("records have the key %s from now on instead of %s, and may be in other partitions; earlier records keep theirs", is.Key, was.Key))
	}
	if was.Empty != is.Empty {
		changes = append(changes, fmt.Sprintf("empty cells are written with %s=%s from now on instead of %s; rows published before are unchanged", schema.StreamVariable(stream, "EMPTY"), is.Empty, was.Empty))
	}
	if was.Format != is.Format && was.Format != "" {
		changes = append(changes, formatChange(stream, was.Format, is.Format, held))
	}
	return changes
}

// formatChange describes the effect of a changed format. A topic that has values
// accepts no other format.
func formatChange(stream, was, is string, held bool) string {
	if held {
		return fmt.Sprintf("the format of values is %s instead of %s: the topic has values of the former one, so the stream is halted until %s is another topic, or _FORMAT is %s again",
			is, was, schema.StreamVariable(stream, "TOPIC"), was)
	}
	return fmt.Sprintf("values have the format %s from now on instead of %s", is, was)
}

// saveSettingsTo writes the settings that the next start compares with.
func (s *Stream) saveSettingsTo(record *ledger.Settings) {
	is := s.settings()
	record.Events, record.ExcludeEvents, record.Properties = is.Events, is.ExcludeEvents, is.Properties
	record.Audience, record.Key, record.Empty, record.Format = is.Audience, is.Key, is.Empty, is.Format
	record.Pace = s.pace()
	s.names.saveTo(record)
	s.wider.saveTo(record)
}

// removedStreams reports the streams that are in the ledger but no longer configured.
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
