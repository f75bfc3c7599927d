package transfer

import (
	"slices"

	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
)

// eventColumn is the system column that every event export has.
const eventColumn = "event_name"

// names are the event names met by an export, with those known before. Only new rows are examined.
type names struct {
	known map[string]bool
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

func (n *names) observe(name []byte) {
	if len(name) > 0 && !n.known[string(name)] && len(n.known) < schedule.MaxEventNames {
		n.known[string(name)] = true
	}
}

// list is sorted, so that the ledger's record does not change without a cause.
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
