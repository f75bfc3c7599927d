package config

import (
	"fmt"
	"strings"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

func (l *loader) checkStream(s *Stream, today schema.Day) {
	prefix := streamPrefix(s.Name)
	if !s.Export.Snapshot() && s.Start.On != nil && l.good(prefix+"START") {
		switch first := *s.Start.On; {
		case first < today-schema.Reach:
			l.warn(prefix+"START", fmt.Sprintf("%s is before the last %d days that the API exports: the first day that can be exported is %s", first, schema.Reach, today-schema.Reach))
		case first > today:
			l.warn(prefix+"START", fmt.Sprintf("%s is in the future: the stream exports nothing until then", first))
		}
	}
	l.checkMode(s, prefix)
	if s.Events != nil && s.ExcludeEvents != nil {
		l.fault(prefix+"EXCLUDE_EVENTS", "is set together with "+prefix+"EVENTS: the API accepts only one of them")
	}
	if s.Properties != nil && s.ExcludeProperties != nil {
		l.fault(prefix+"EXCLUDE_PROPERTIES", "is set together with "+prefix+"PROPERTIES: the API accepts only one of them")
	}
	for _, column := range s.Key.columns() {
		if s.excludes(column) {
			l.warn(prefix+"KEY", fmt.Sprintf("names %q, which the stream's properties exclude: without that column the stream is halted", column))
		}
	}
}

// checkMode refuses variables that have no effect without MODE=changes.
func (l *loader) checkMode(s *Stream, prefix string) {
	if s.Export != schema.UserProfile || s.Mode == ModeChanges || !l.good(prefix+"MODE") {
		return
	}
	l.rejectUnused([]string{prefix + "DELETES", prefix + "DELETE_AFTER", prefix + "DELETE_MOST"},
		"is set, but "+prefix+"MODE is "+string(s.Mode)+"; only MODE=changes deletes profiles")
}

// checkCalls refuses streams whose polls alone use up the quota: past days would never be exported.
func (l *loader) checkCalls(c *Config) {
	const quota = "DFINERY_CALLS_PER_HOUR"
	if !l.good(quota) {
		return
	}
	var sum float64
	var parts, intervals []string
	for _, s := range c.Streams {
		prefix := streamPrefix(s.Name)
		if !l.good(prefix+"EXPORT", prefix+"POLL_INTERVAL", prefix+"LOOKBACK", prefix+"LOOKBACK_INTERVAL", prefix+"START") {
			return
		}
		calls := s.CallsPerHour()
		sum += calls
		parts = append(parts, fmt.Sprintf("%s %.4g", s.Name, calls))
		intervals = append(intervals, prefix+"POLL_INTERVAL")
	}
	if sum > float64(c.DFINERY.CallsPerHour) {
		l.fault(quota, fmt.Sprintf("polls alone need %.4g calls an hour (%s), but %d are allowed: increase %s or the lookback intervals, or raise the limit if the service has more",
			sum, strings.Join(parts, ", "), c.DFINERY.CallsPerHour, strings.Join(intervals, ", ")))
	}
}

// CallsPerHour is how many export calls the stream's polls need without failures: for today and
// the days of its lookback.
func (s Stream) CallsPerHour() float64 {
	calls := perHour(s.PollInterval)
	if s.Export.Snapshot() {
		return calls
	}
	days := s.Lookback
	if s.Start.On == nil {
		days = min(days, s.Start.Back)
	}
	if days == 0 {
		return calls
	}
	return calls + float64(days)*perHour(s.LookbackInterval)
}

func perHour(interval time.Duration) float64 { return float64(time.Hour) / float64(interval) }

// checkTopics requires each topic to have one purpose. Kafka refuses names that differ only in
// dots and underscores.
func (l *loader) checkTopics(c *Config) {
	type use struct{ variable, topic string }
	uses := []use{
		{"DEAD_LETTER_TOPIC", string(c.Publish.DeadLetterTopic)},
		{"LEDGER_TOPIC", string(c.Publish.LedgerTopic)},
		{"LEDGER_TOPIC", ledger.RowsTopic(string(c.Publish.LedgerTopic))},
	}
	for _, s := range c.Streams {
		uses = append(uses, use{streamPrefix(s.Name) + "TOPIC", string(s.Topic)})
	}
	if rows := uses[2].topic; len(rows) > 249 {
		l.fault("LEDGER_TOPIC", "is too long: with .rows appended it has more than 249 characters")
	}
	dots := strings.NewReplacer("_", ".")
	for i, this := range uses {
		for _, earlier := range uses[:i] {
			if !l.good(this.variable, earlier.variable) || dots.Replace(this.topic) != dots.Replace(earlier.topic) {
				continue
			}
			switch {
			case this.topic == earlier.topic:
				l.fault(this.variable, fmt.Sprintf("%s is already the topic of %s", this.topic, earlier.variable))
			default:
				l.fault(this.variable, fmt.Sprintf("%s collides with %s's topic %s: Kafka treats dots and underscores as equal", this.topic, earlier.variable, earlier.topic))
			}
		}
	}
}
