package transfer

import (
	"slices"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/privacy"
)

// soughtColumns determines in which columns rows have cells.
type soughtColumns struct {
	left  []soughtColumn
	found []string
}

type soughtColumn struct {
	name string
	at   int
}

// begin starts with a new header. The cells of a dropped column are never seen, so its
// presence in the header counts.
func (s *soughtColumns) begin(names []string, header, columns *schema.Columns, policy *privacy.Policy) {
	for _, name := range names {
		if policy.Drops(name) && header.Index(name) >= 0 {
			s.found = append(s.found, name)
		}
		if at := columns.Index(name); at >= 0 {
			s.left = append(s.left, soughtColumn{name, at})
		}
	}
}

// observe checks a row for the columns that were not found yet.
func (s *soughtColumns) observe(row *schema.Row) {
	for i := len(s.left) - 1; i >= 0; i-- {
		if c := s.left[i]; len(row.Cell(c.at)) > 0 {
			s.found = append(s.found, c.name)
			s.left = slices.Delete(s.left, i, i+1)
		}
	}
}
