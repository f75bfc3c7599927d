package schedule

import (
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// maxColumnBytes limits the column names that are recorded for a stream, so that the
// service's record in the ledger stays far below Kafka's maximum. Beyond it, every
// further column counts as new in each header.
const maxColumnBytes = 64 << 10

// columns are the columns of a stream's headers. Days differ in their columns, so a
// header is compared with all columns that the stream ever had, not with the previous
// header.
type columns struct {
	accepted []string // in the order of their appearance; the slice is immutable
	refused  []string // new ones, waiting to be accepted
	last     []string // those of the last export's header
}

// admit accepts the columns of a header, or refuses the new ones if frozen. The first
// header is always accepted. reported are new columns that no header had before;
// changed: the ledger must be written.
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
		return refused, nil, false // already reported, or too many
	}
	*list = longer
	if !frozen {
		c.refused = without(c.refused, added)
	}
	return refused, reported, true
}

// fitting appends names to a list up to the limit.
func fitting(list, names []string) []string {
	size := 0
	for _, name := range list {
		size += len(name)
	}
	list = slices.Clip(list)
	for _, name := range names {
		if size += len(name); size > maxColumnBytes {
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

// load restores the columns from the ledger. Earlier releases recorded only those of
// the last header and of the schemas.
func (c *columns) load(record ledger.Columns, schemas *ledger.Schemas) {
	c.accepted, c.refused = record.Accepted, record.Refused
	if c.accepted != nil {
		return
	}
	names := slices.Clone(c.last)
	if schemas != nil {
		known := setOf(names)
		for _, f := range schemas.Fields {
			if !known[f.Column] { // a column can have two fields
				known[f.Column] = true
				names = append(names, f.Column)
			}
		}
	}
	c.accepted = fitting(nil, names)
}

func (c *columns) saveTo(record *ledger.Columns) {
	record.Accepted, record.Refused = c.accepted, c.refused
}

// AdmitColumns accepts the columns of a header before its first row. With the contract
// "freeze" it returns those that the stream never had; they wait for AcceptColumns.
// changed: the ledger must be written.
func (s *Stream) AdmitColumns(header []string) (refused []string, changed bool, events []Event) {
	refused, reported, changed := s.columns.admit(header, s.Contract == schema.ContractFreeze)
	if len(reported) > 0 {
		events = []Event{{Kind: ColumnsChanged, Stream: s.Name, Added: reported, Contract: s.Contract}}
	}
	return refused, changed, events
}

// AcceptColumns accepts the refused columns, ends the halt that they caused, and
// returns them.
func (s *Stream) AcceptColumns(now time.Time) (accepted []string) {
	accepted = s.columns.acceptRefused()
	if s.endHalt(schema.NewColumn) {
		s.days.endWaits(now)
	}
	return accepted
}
