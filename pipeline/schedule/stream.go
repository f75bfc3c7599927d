package schedule

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Stream is a stream with everything that is known of it: its days, and its parts, each
// of which has the state of one rule.
type Stream struct {
	*StreamConfig
	policy *Policy

	calendar          // its days
	stops             // what keeps it from calls
	columns  columns  // that its headers had
	hiding   hiding   // which headers are accepted, of a stream that hides columns
	names    names    // of its filter, and of its events
	wider    widening // of its filter
	probe    probe    // for to_date

	identity string // what the fingerprints of its published rows depend on
	hasRows  bool   // some export had rows: so to_date is as configured
	charset  charset
	lastCall time.Time  // the start of it
	exports  int        // of a stream of changes: the highest number of an export, as its own record has it
	warned   schema.Day // when its days about to be lost were last warned of
}

func newStream(config StreamConfig, policy *Policy) *Stream {
	return &Stream{StreamConfig: &config, policy: policy, calendar: calendar{StreamConfig: &config, days: days{}}}
}

// load takes over what the service's record has. The days are loaded before.
func (s *Stream) load(service *ledger.Service) {
	kept := service.Streams[s.Name]
	s.stops = stops{paused: kept.Paused, halted: kept.Halted, blocked: s.blocked}
	s.names.events, s.hasRows, s.identity = kept.Events, kept.HasRows, kept.Identity
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

// enter writes what is kept into the service's record, whose maps exist.
func (s *Stream) enter(service *ledger.Service, now time.Time) {
	kept := service.Streams[s.Name]
	kept.Paused, kept.Halted, kept.Blocked = s.paused, s.halted, s.blocked
	kept.Events, kept.HasRows, kept.Identity = s.names.events, s.hasRows, s.identity
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
	s.columns.enter(&columns)
	s.hiding.enter(&columns)
	if len(columns.Accepted) > 0 || columns.Hidden != "" || columns.RefusedHeader != "" {
		service.Columns[s.Name] = columns
	}
	settings := service.Settings[s.Name]
	s.enterSettings(&settings)
	service.Settings[s.Name] = settings
}

// hadRows reports whether rows of the stream were ever published.
func (s *Stream) hadRows() bool { return s.hasRows || s.days.published() }

// LastExport is the highest number that an export of a stream of changes had.
func (s *Stream) LastExport() int { return max(s.exports, s.days.lastExport()) }
