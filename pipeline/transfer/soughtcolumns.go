package transfer

import (
	"slices"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/privacy"
)

// soughtColumns finds out which columns rows have cells in.
type soughtColumns struct {
	left []soughtColumn
	met  []string
}

type soughtColumn struct {
	name string
	at   int
}

// begin looks below a header. Of a column that is dropped no cell is seen: that the header has it must do.
func (s *soughtColumns) begin(names []string, header, columns *schema.Columns, policy *privacy.Policy) {
	for _, name := range names {
		if policy.Drops(name) && header.Index(name) >= 0 {
			s.met = append(s.met, name)
		}
		if at := columns.Index(name); at >= 0 {
			s.left = append(s.left, soughtColumn{name, at})
		}
	}
}

// observe looks at a row. Soon nothing is left to look for.
func (s *soughtColumns) observe(row *schema.Row) {
	for i := len(s.left) - 1; i >= 0; i-- {
		if c := s.left[i]; len(row.Cell(c.at)) > 0 {
			s.met = append(s.met, c.name)
			s.left = slices.Delete(s.left, i, i+1)
		}
	}
}
