package schema

import "strings"

// Key names the columns, separated by commas, whose cells are the key of a stream's records.
// The bytes of a single column are used unchanged; several columns become a JSON array of
// strings.
type Key string

// Columns returns the names in order.
func (k Key) Columns() []string { return strings.Split(string(k), ",") }

// Missing returns the columns of the key that a header lacks.
func (k Key) Missing(header *Columns) []string {
	var missing []string
	for _, name := range k.Columns() {
		if header.Index(name) < 0 {
			missing = append(missing, name)
		}
	}
	return missing
}
