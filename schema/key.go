package schema

import "strings"

// Key names the columns whose cells key a stream's records, separated by commas. A single column's bytes are the key as they are; several
// columns make a JSON array of strings.
type Key string

// Columns are the names, in their order.
func (k Key) Columns() []string { return strings.Split(string(k), ",") }

// Missing are the columns of the key that a header lacks.
func (k Key) Missing(header *Columns) []string {
	var missing []string
	for _, name := range k.Columns() {
		if header.Index(name) < 0 {
			missing = append(missing, name)
		}
	}
	return missing
}
