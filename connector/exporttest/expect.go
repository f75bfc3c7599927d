package exporttest

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"dfinery-kafka/schema"
)

// Table is the intended content of an export: the columns of its header and the cells of its
// rows, empty cells as empty strings.
type Table struct {
	Columns []string
	Rows    [][]string
}

// Export is the result of a query without faults, with rows in the order of the export.
func (d Data) Export(q Query) Table { return newGenerator(d, q.Kind).table(q) }

func (g *generator) table(q Query) Table {
	return Table{Columns: g.columnsOf(q), Rows: slices.Collect(g.cells(q))}
}

// Variant is equal for queries that give the same table.
func (d Data) Variant(q Query) string {
	export := q.Export
	if d.Header == nil && !d.Shuffle { // then it matters only for the rows that come late or disappear
		export = 0
		for _, from := range []int{d.LateFrom, cmp.Or(d.GoneFrom, 2)} {
			if q.Export >= from {
				export++
			}
		}
	}
	now := q.Now.UnixNano()
	if !d.Live && d.LateAfter == 0 && !q.Now.IsZero() { // then it matters only which of its days have begun
		now = int64(min(q.To, schema.DayOf(q.Now, d.location())))
	}
	return fmt.Sprintf("%s %d %d %q %t %d %d", q.Kind, q.From, q.To, q.Filter, q.HideIdentities, export, now)
}

// Rows yields the same rows one at a time, without the columns, for days that do not fit in
// memory. The caller may keep the rows.
func (d Data) Rows(q Query) iter.Seq[[]string] { return newGenerator(d, q.Kind).cells(q) }

func (g *generator) cells(q Query) iter.Seq[[]string] {
	at := g.indexes(g.columnsOf(q))
	return func(yield func([]string) bool) {
		var c clockText
		g.each(q, func(r *row) bool {
			cells := make([]string, len(at))
			for n, i := range at {
				switch {
				case i < 0:
				case g.columns[i].slot == fixed:
					cells[n] = g.fixed(r.template)[i]
				default:
					cells[n] = string(r.appendSlot(nil, g.columns[i].slot, &c))
				}
			}
			return yield(cells)
		})
	}
}

// Records returns the rows as column → value, without the empty cells, like the JSON of a record.
func (t Table) Records() []map[string]string {
	records := make([]map[string]string, len(t.Rows))
	for i, cells := range t.Rows {
		records[i] = make(map[string]string)
		for n, cell := range cells {
			if cell != "" {
				records[i][t.Columns[n]] = cell
			}
		}
	}
	return records
}

// Union is what must be published after several exports of one day: each record as often as in
// the export that has it most often. Records are in the order of their first occurrence.
func Union(exports ...Table) []map[string]string {
	var union []map[string]string
	have := make(map[string]int)
	for _, t := range exports {
		count := make(map[string]int)
		for _, record := range t.Records() {
			id := identity(record)
			if count[id]++; count[id] > have[id] {
				have[id]++
				union = append(union, record)
			}
		}
	}
	return union
}

// identity is equal for equal records: names and values in the order of the names, each
// prefixed by a byte that never occurs in UTF-8.
func identity(record map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(record)) {
		b.WriteString("\xfe" + name + "\xff" + record[name])
	}
	return b.String()
}
