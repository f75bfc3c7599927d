package transfer

import (
	"slices"

	"dfinery-kafka/schema"
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

func (s *soughtColumns) begin(names []string, columns *schema.Columns) {
	for _, name := range names {
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
