package schedule

import (
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// mostColumnBytes bounds the names that are remembered of a stream, so that the
// ledger's record of the service stays far below the size of a record. Beyond it, every
// further column counts as new in each header.
const mostColumnBytes = 64 << 10

// columns are those that headers of a stream had. Days differ in their columns, so a
// header is compared with all that the stream ever had, not with those of the header
// before it.
type columns struct {
	accepted []string // in the order of their appearance; the list is not changed any more
	refused  []string // new ones, which wait to be accepted
	last     []string // of the last export's header
}

// admit accepts the columns of a header, or refuses those that are new. The first
// header is always accepted. reported are new ones that no header had before; changed
// says that the ledger has to know.
func (c *columns) admit(header []string, frozen bool) (refused, reported []string, changed bool) {
	added := without(header, c.accepted)
	if len(added) == 0 {
		return nil, nil, false
	}
	if len(c.accepted) == 0 {
		c.accepted = fitting(nil, added)
		return nil, nil, true
	}
	list := &c.accepted
	if frozen {
		refused, list = added, &c.refused
	}
	longer := fitting(*list, without(added, *list))
	reported = longer[len(*list):]
	if len(reported) == 0 {
		return refused, nil, false // they were reported before, or there are too many
	}
	*list = longer
	if !frozen {
		c.refused = without(c.refused, added)
	}
	return refused, reported, true
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

// acceptRefused accepts the columns that were refused, and returns them.
func (c *columns) acceptRefused() (accepted []string) {
	accepted = c.refused
	c.accepted, c.refused = slices.Concat(c.accepted, accepted), nil
	return accepted
}

// load takes over the columns that the ledger has. Releases before kept those of the
// last header and of the schemas alone.
func (c *columns) load(record ledger.Columns, schemas *ledger.Schemas) {
	c.accepted, c.refused = record.Accepted, record.Refused
	if c.accepted != nil {
		return
	}
	names := slices.Clone(c.last)
	if schemas != nil {
		known := setOf(names)
		for _, f := range schemas.Fields {
			if !known[f.Column] { // two fields may be of one column
				known[f.Column] = true
				names = append(names, f.Column)
			}
		}
	}
	c.accepted = fitting(nil, names)
}

func (c *columns) enter(record *ledger.Columns) {
	record.Accepted, record.Refused = c.accepted, c.refused
}

// AcceptedColumns are the columns that headers of the stream had, in the order of their
// appearance. The list is not changed any more.
func (s *Stream) AcceptedColumns() []string { return s.columns.accepted }

// AdmitColumns accepts the columns of a header before its first row, unless the
// stream's contract is to freeze: then it returns those that the stream never had, and
// they wait for AcceptColumns. It says whether anything was changed that the ledger has
// to keep.
func (s *Stream) AdmitColumns(header []string) (refused []string, changed bool, events []Event) {
	refused, reported, changed := s.columns.admit(header, s.Contract == schema.ContractFreeze)
	if len(reported) > 0 {
		events = []Event{{Kind: ColumnsChanged, Stream: s.Name, Added: reported, Contract: s.Contract}}
	}
	return refused, changed, events
}

// AcceptColumns accepts the columns that were refused, and ends the halt of the stream
// for them. It returns what it accepted.
func (s *Stream) AcceptColumns(now time.Time) (accepted []string) {
	accepted = s.columns.acceptRefused()
	if s.endHalt(schema.NewColumn) {
		s.days.endWaits(now)
	}
	return accepted
}
