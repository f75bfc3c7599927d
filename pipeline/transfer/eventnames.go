package transfer

import (
	"slices"

	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
)

// eventColumn is the system column that every event export has.
const eventColumn = "event_name"

// names are the event names seen by an export, including those known before. Only new
// rows are examined. A nil one has none.
type names struct {
	known  map[string]bool
	column int // of the event's name, or -1
}

func newNames(kind schema.Kind, known []string) *names {
	if kind.Snapshot() {
		return nil
	}
	n := &names{known: make(map[string]bool, len(known))}
	n.add(known)
	return n
}

func (n *names) add(more []string) {
	if n == nil {
		return
	}
	for _, name := range more {
		n.known[name] = true
	}
}

// setColumns finds the event's name below a header line.
func (n *names) setColumns(columns *schema.Columns) {
	if n != nil {
		n.column = columns.Index(eventColumn)
	}
}

func (n *names) observe(row *schema.Row) {
	if n == nil || n.column < 0 {
		return
	}
	if name := row.Cell(n.column); len(name) > 0 && !n.known[string(name)] && len(n.known) < schedule.MaxEventNames {
		n.known[string(name)] = true
	}
}

// list returns the names sorted, so that the ledger's record does not change
// needlessly.
func (n *names) list() []string {
	if n == nil {
		return nil
	}
	list := make([]string, 0, len(n.known))
	for name := range n.known {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}
