package schedule

import (
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Days differ in their columns, so a header is compared with all columns that the stream ever had, not with those of the header before it.

// AcceptedColumns are all columns that headers of the stream ever had, in the order of their appearance. The list is not changed any more.
func (s *State) AcceptedColumns(stream string) []string { return s.stream(stream).columns.Accepted }

// AdmitColumns accepts the columns of a header before its first row, unless the stream's contract is to freeze: then it returns those that
// the stream never had, and they wait for AcceptColumns. The first header of a stream is always accepted.
func (s *State) AdmitColumns(stream string, header []string) (refused []string, events []Event) {
	st := s.stream(stream)
	c := &st.columns
	added := without(header, c.Accepted)
	if len(added) == 0 {
		return nil, nil
	}
	first := len(c.Accepted) == 0
	changed := []Event{{Kind: ColumnsChanged, Stream: stream, Added: added, Contract: st.Contract}}
	switch {
	case first:
		c.Accepted = slices.Clone(header)
		return nil, nil
	case st.Contract != schema.ContractFreeze:
		c.Accepted = slices.Concat(c.Accepted, added)
		c.Refused = without(c.Refused, added)
		return nil, changed
	}
	news := without(added, c.Refused)
	if len(news) == 0 {
		return added, nil // it was told of
	}
	c.Refused = slices.Concat(c.Refused, news)
	return added, changed
}

// AcceptColumns accepts the columns that were refused, and ends the halt of the stream for them. It returns what it accepted.
func (s *State) AcceptColumns(stream string, now time.Time) (accepted []string) {
	st := s.stream(stream)
	accepted = st.acceptRefused()
	if st.kept.Halted != nil && st.kept.Halted.Code == schema.NewColumn {
		st.kept.Halted = nil
		st.endWaits(now)
	}
	return accepted
}

func (s *stream) acceptRefused() (accepted []string) {
	accepted = s.columns.Refused
	s.columns.Accepted, s.columns.Refused = slices.Concat(s.columns.Accepted, accepted), nil
	return accepted
}

// loadColumns takes over the columns that the ledger has. Releases before kept those of the last header and of the schemas alone.
func (s *stream) loadColumns(service *ledger.Service) {
	s.columns = service.Columns[s.Name]
	if s.columns.Accepted != nil {
		return
	}
	s.columns.Accepted = slices.Clone(s.kept.Columns)
	if kept := service.Schemas[s.Name]; kept != nil {
		for _, f := range kept.Fields {
			if !slices.Contains(s.columns.Accepted, f.Column) {
				s.columns.Accepted = append(s.columns.Accepted, f.Column)
			}
		}
	}
}

func (s *State) enterColumns(service *ledger.Service) {
	if service.Columns == nil {
		service.Columns = map[string]ledger.Columns{}
	}
	for _, st := range s.streams {
		if len(st.columns.Accepted) > 0 {
			service.Columns[st.Name] = st.columns
		}
	}
}
