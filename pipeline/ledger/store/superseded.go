package store

import (
	"bytes"
	"strings"
)

// entry is a record of the ledger that was read and is not decoded yet.
type entry struct {
	key    string
	value  []byte // nil deletes the key
	offset int64
	over   bool // superseded: it says nothing that a later entry does not
}

// entries are records in the order of their log. A ledger that compaction has not reached has thousands of records of a few keys: which of
// them are superseded is known by their keys, and only the others are decoded.
type entries struct {
	list   []entry
	newest map[string]int   // by key, but for commands: each record of a command counts
	days   map[string][]int // all records of a day that were written behind the last checkpoint, and the newest before it
}

// add takes a record whose value is valid only during the call.
func (e *entries) add(key string, value []byte, offset int64) {
	at := len(e.list)
	e.list = append(e.list, entry{key: key, value: bytes.Clone(value), offset: offset})
	switch kind, _, _ := strings.Cut(key, "/"); kind {
	case "day":
		e.days[key] = append(e.days[key], at)
	case "checkpoint":
		e.supersede(key, at)
		for day, all := range e.days { // only behind the last checkpoint the former records of a day count
			for len(all) > 1 {
				e.drop(all[0])
				all = all[1:]
			}
			e.days[day] = all
		}
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
