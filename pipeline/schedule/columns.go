package schedule

import (
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Days differ in their columns, so a header is compared with all columns that the stream ever had, not with those of the header before it.

// mostColumnBytes bounds the names that are remembered of a stream, so that the ledger's record of the service stays far below the size of
// a record. Beyond it, every further column counts as new in each header.
const mostColumnBytes = 64 << 10

// AcceptedColumns are the columns that headers of the stream had, in the order of their appearance. The list is not changed any more.
func (s *State) AcceptedColumns(stream string) []string { return s.stream(stream).columns.Accepted }

// AdmitColumns accepts the columns of a header before its first row, unless the stream's contract is to freeze: then it returns those that
// the stream never had, and they wait for AcceptColumns. The first header of a stream is always accepted. It says whether anything was
// changed that the ledger has to keep.
func (s *State) AdmitColumns(stream string, header []string) (refused []string, changed bool, events []Event) {
	st := s.stream(stream)
	c := &st.columns
	added := without(header, c.Accepted)
	if len(added) == 0 {
		return nil, false, nil
	}
	if len(c.Accepted) == 0 {
		c.Accepted = fitting(nil, added)
		return nil, true, nil
	}
	frozen := st.Contract == schema.ContractFreeze
	list := &c.Accepted
	if frozen {
		refused, list = added, &c.Refused
	}
	longer := fitting(*list, without(added, *list))
	if len(longer) == len(*list) {
		return refused, false, nil // it was reported before, or there are too many
	}
	events = []Event{{Kind: ColumnsChanged, Stream: stream, Added: longer[len(*list):], Contract: st.Contract}}
	*list = longer
	if !frozen {
		c.Refused = without(c.Refused, added)
	}
	return refused, true, events
}

// fitting appends names to a list, as many as may be remembered.
func fitting(list, names []string) []string {
	size := 0
	for _, name := range list {
		size += len(name)
	}
	list = slices.Clip(list)
	for _, name := range names {
		if size += len(name); size > mostColumnBytes {
			break
		}
		list = append(list, name)
	}
	return list
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
	names := slices.Clone(s.kept.Columns)
	if kept := service.Schemas[s.Name]; kept != nil {
		known := setOf(names)
		for _, f := range kept.Fields {
			if !known[f.Column] { // two fields may be of one column
				known[f.Column] = true
				names = append(names, f.Column)
			}
		}
	}
	s.columns.Accepted = fitting(nil, names)
}

func (s *State) enterColumns(service *ledger.Service) {
	if service.Columns == nil {
		service.Columns = map[string]ledger.Columns{}
	}
	for _, st := range s.streams {
		if c := &st.columns; len(c.Accepted) > 0 || c.Hidden != "" || c.RefusedHeader != "" {
			service.Columns[st.Name] = st.columns
		}
	}
}
