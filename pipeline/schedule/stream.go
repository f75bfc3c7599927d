package schedule

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Stream is the state of a stream: its days, and one part for the state of each rule.
type Stream struct {
	*StreamConfig
	policy *Policy

	calendar          // its days
	stops             // what prevents calls
	columns  columns  // of its headers
	hiding   hiding   // accepted headers, if it hides columns
	names    names    // names in its filter and of its events
	wider    widening // of its filter
	probe    probe    // for an exclusive to_date

	identity      string // of its published rows: see Identity
	exportHadRows bool   // an export had rows: so DFINERY_TO_DATE is right
	charset       charset
	lastCall      time.Time  // its start
	exports       int        // the highest number of an export, from the record of a stream of changes
	warned        schema.Day // the day of the last warning of days about to be lost
}

func newStream(config StreamConfig, policy *Policy) *Stream {
	return &Stream{StreamConfig: &config, policy: policy, calendar: calendar{StreamConfig: &config, days: days{}}}
}

// load restores the state from the service's record. The days must be loaded before.
func (s *Stream) load(service *ledger.Service) {
	kept := service.Streams[s.Name]
	s.stops = stops{paused: kept.Paused, halted: kept.Halted, blocked: s.blocked}
	s.names.events, s.exportHadRows, s.identity = kept.Events, kept.HasRows, kept.Identity
	s.columns.last = kept.Columns
	if p := service.Profiles[s.Name]; p != nil {
		s.exports = p.N
	}
	if from, ok := service.DueFrom[s.Name]; ok && from.Start == s.startName() {
		s.dueFrom = from.Day
	}
	s.charset = charset(service.Charsets[s.Name])
	s.days.loadCuts(service.Cuts[s.Name])
	s.columns.load(service.Columns[s.Name], service.Schemas[s.Name])
	s.hiding.load(service.Columns[s.Name])
}

// saveTo writes the state into the service's record, whose maps must exist.
func (s *Stream) saveTo(service *ledger.Service, now time.Time) {
	kept := service.Streams[s.Name]
	kept.Paused, kept.Halted, kept.Blocked = s.paused, s.halted, s.blocked
	kept.Events, kept.HasRows, kept.Identity = s.names.events, s.exportHadRows, s.identity
	kept.Columns = s.columns.last
	service.Streams[s.Name] = kept
	delete(service.Charsets, s.Name)
	if s.charset != "" {
		service.Charsets[s.Name] = string(s.charset)
	}
	if s.dueFrom != 0 {
		from := service.DueFrom[s.Name]
		from.Day, from.Start = s.dueFrom, s.startName()
		service.DueFrom[s.Name] = from
	}
	delete(service.Cuts, s.Name)
	if cuts := s.days.cuts(s.policy.today(now) - schema.Reach); len(cuts) > 0 {
		service.Cuts[s.Name] = cuts
	}
	columns := service.Columns[s.Name]
	s.columns.saveTo(&columns)
	s.hiding.saveTo(&columns)
	if len(columns.Accepted) > 0 || columns.Hidden != "" || columns.RefusedHeader != "" {
		service.Columns[s.Name] = columns
	}
	settings := service.Settings[s.Name]
	s.saveSettingsTo(&settings)
	service.Settings[s.Name] = settings
}

// everPublished reports whether rows of the stream were ever published.
func (s *Stream) everPublished() bool { return s.exportHadRows || s.days.anyPublished() }

// LastExport returns the highest number of an export of a stream of changes.
func (s *Stream) LastExport() int { return max(s.exports, s.days.lastExport()) }
