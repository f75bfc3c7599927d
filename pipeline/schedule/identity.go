package schedule

import (
	"fmt"
	"strings"
	"time"

	"dfinery-kafka/schema"
)

// The prefixes of the lists of hidden columns in an identity, and of their key.
const (
	hiddenMark    = "\x00hidden\x00"
	hiddenKeyMark = "\x00key\x00"
)

// Identity describes everything that the fingerprints of the stream's rows depend on.
// When it changes, the same events have different rows.
func (s *StreamConfig) Identity() string {
	f := s.Filter
	text := string(s.Kind) + "\x00" + s.Topic
	for _, names := range [][]string{f.Properties, {""}, f.ExcludeProperties} {
		for _, name := range names {
			text += "\x00" + name
		}
	}
	if f.Identities != "" { // only if set: so the identities in existing ledgers stay the same
		text += "\x00identities\x00" + f.Identities
	}
	if s.Hidden != "" {
		text += hiddenMark + s.Hidden + hiddenKeyMark + s.HiddenKey
	}
	return text
}

// hiddenKeyOf returns the id of the key in an identity; empty for none.
func hiddenKeyOf(identity string) string {
	_, hidden, _ := strings.Cut(identity, hiddenMark)
	_, key, _ := strings.Cut(hidden, hiddenKeyMark)
	return key
}

// TopicOf returns the topic in an identity; empty for none.
func TopicOf(identity string) string {
	parts := strings.Split(identity, "\x00")
	if len(parts) < 2 {
		return ""
	}
	return parts[1]
}

// detectIdentityChange begins a new generation of the days in reach if the stream's
// identity has changed. Days before START keep their state; they are published again
// only by a command. A different key halts the stream instead.
func (s *Stream) detectIdentityChange(now time.Time) []Event {
	id, was := s.Identity(), s.identity
	s.endHalt(schema.PrivacyKey) // the former key may be configured again
	if key := hiddenKeyOf(was); key != "" && s.HiddenKey != "" && key != s.HiddenKey && s.everPublished() {
		return s.refuseKey(key, now)
	}
	s.identity = id
	hides := hiddenKeyOf(was) == "" && s.Hidden != ""
	if hides {
		s.stops.withholdDetail()
		s.days.withholdDetails()
	}
	if was == "" || was == id {
		return nil
	}
	var events []Event
	if hides && s.everPublished() {
		events = append(events, Event{Kind: HidingBegins, Stream: s.Name, Topic: TopicOf(was)})
	}
	return append(events, s.beginIdentity(now)...)
}

// beginIdentity begins a new generation of the days in reach that have or may have
// rows.
func (s *Stream) beginIdentity(now time.Time) []Event {
	by, today := "identity "+s.identity, s.policy.today(now)
	days, rows := 0, 0
	for at, d := range s.days {
		r := &d.record
		switch {
		case at < today-schema.Reach || !d.hadSuccess() && r.Published+r.Bad == 0:
		case at < s.first(today):
			d.forgetRows(by)
		default:
			rows += r.Published
			d.publishAgain(by)
			days++
		}
	}
	if s.Changes && s.everPublished() {
		return []Event{{Kind: ProfilesDiffer, Stream: s.Name}}
	}
	if rows == 0 {
		return nil // nothing was published, so nothing can be published twice
	}
	return []Event{{Kind: IdentityChanged, Stream: s.Name, Count: days, Rows: rows}}
}

// refuseKey halts a stream whose hidden cells were hashed with another key: mounting a
// wrong file must not publish all days again.
func (s *Stream) refuseKey(former string, now time.Time) []Event {
	detail := fmt.Sprintf("cells were hashed with the key %s, and PRIVACY_KEY_FILE holds the key %s: %s", former, s.HiddenKey, schema.RuleOf(schema.PrivacyKey).Advice)
	s.halt(schema.PrivacyKey, detail, now, now)
	return []Event{{Kind: KeyRefused, Stream: s.Name, Code: schema.PrivacyKey, Detail: detail}}
}

// AcceptKey switches a resumed stream to the new key. It returns the days that are
// published again.
func (s *Stream) AcceptKey(now time.Time) ([]schema.Day, []Event) {
	if !s.KeyRefused() {
		return nil, nil
	}
	before := map[schema.Day]int{}
	for at, d := range s.days {
		before[at] = d.record.Generation
	}
	s.halted, s.identity = nil, s.Identity()
	events := s.beginIdentity(now)
	var again []schema.Day
	for _, at := range s.days.inOrder() {
		if s.days[at].record.Generation != before[at] {
			again = append(again, at)
		}
	}
	return again, events
}
