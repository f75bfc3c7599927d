package store

import (
	"bytes"
	"strings"
)

// entry is a record of the ledger that is not yet decoded.
type entry struct {
	key    string
	value  []byte // nil deletes the key
	offset int64
	over   bool // superseded by a later entry
}

// entries are records in log order. Before compaction a ledger has thousands of records of a
// few keys: superseded ones are recognized by their keys, and only the others are decoded.
type entries struct {
	list   []entry
	newest map[string]int   // by key, except for commands: each record of a command counts
	days   map[string][]int // all records of a day after the last checkpoint, and the newest before it
	again  []string         // days that have more than one, for checkpoints to look only at these
}

// add adds a record, whose value is valid only during the call.
func (e *entries) add(key string, value []byte, offset int64) {
	at := len(e.list)
	e.list = append(e.list, entry{key: key, value: bytes.Clone(value), offset: offset})
	switch kind, _, _ := strings.Cut(key, "/"); kind {
	case "day":
		if e.days[key] = append(e.days[key], at); len(e.days[key]) == 2 {
			e.again = append(e.again, key)
		}
	case "checkpoint":
		e.supersede(key, at)
		for _, day := range e.again { // previous records of a day matter only after the last checkpoint
			all := e.days[day]
			last := len(all) - 1
			for _, former := range all[:last] {
				e.drop(former)
			}
			e.days[day] = all[last:]
		}
		e.again = e.again[:0]
	case "owner", "service":
		e.supersede(key, at)
	}
}

func (e *entries) supersede(key string, at int) {
	if former, ok := e.newest[key]; ok {
		e.drop(former)
	}
	e.newest[key] = at
}

func (e *entries) drop(at int) { e.list[at].value, e.list[at].over = nil, true }
