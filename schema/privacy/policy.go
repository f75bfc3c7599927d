package privacy

import (
	"slices"
	"strings"
)

// Lists name the columns of a stream whose cells must not be published as they
// are. A column is in one list at most.
type Lists struct {
	Drop []string // the column does not exist
	Hash []string // the cell is replaced by its hash under the key
	Mask []string // the cell is replaced by ***
}

// Empty reports whether nothing is hidden.
func (l *Lists) Empty() bool { return len(l.Drop)+len(l.Hash)+len(l.Mask) == 0 }

// All are the names of all lists.
func (l *Lists) All() []string { return slices.Concat(l.Drop, l.Hash, l.Mask) }

// Policy is what happens to a stream's cells. It never changes and is safe for
// concurrent use.
type Policy struct {
	lists    Lists
	identity string
	keyID    string
	actions  map[string]action // by column
	lineKey  []byte
}

type kind int

const (
	keep kind = iota
	drop
	hash
	mask
)

type action struct {
	kind kind
	key  []byte // of a hash
}

// New is the policy of the lists; nil if they are empty.
func New(lists Lists, key Key) *Policy {
	if lists.Empty() {
		return nil
	}
	p := &Policy{lists: lists, keyID: key.ID(), actions: map[string]action{}, lineKey: key.derive("dfinery-kafka line 1\x00")}
	for _, name := range lists.Drop {
		p.actions[name] = action{kind: drop}
	}
	for _, name := range lists.Mask {
		p.actions[name] = action{kind: mask}
	}
	for _, name := range lists.Hash {
		p.actions[name] = action{kind: hash, key: key.derive("dfinery-kafka hash 1\x00" + name)}
	}
	p.identity = listsText("drop", lists.Drop) + listsText("hash", lists.Hash) + listsText("mask", lists.Mask)
	return p
}

// listsText does not depend on the order of the names.
func listsText(name string, columns []string) string {
	if len(columns) == 0 {
		return ""
	}
	sorted := slices.Sorted(slices.Values(columns))
	return name + "\x01" + strings.Join(sorted, "\x01") + "\x02"
}

// ListsIdentity names the lists alone.
func (p *Policy) ListsIdentity() string {
	if p == nil {
		return ""
	}
	return p.identity
}

// KeyID names the key; empty for a nil policy.
func (p *Policy) KeyID() string {
	if p == nil {
		return ""
	}
	return p.keyID
}

// Strings are the columns whose public cells are texts, whatever they were before.
func (p *Policy) Strings() []string {
	if p == nil {
		return nil
	}
	return slices.Concat(p.lists.Hash, p.lists.Mask)
}

// Columns are the columns of all lists.
func (p *Policy) Columns() []string { return p.lists.All() }

// Drops reports whether no public row has the column.
func (p *Policy) Drops(column string) bool { return p != nil && p.actions[column].kind == drop }

// Missing are the names of the lists that a header lacks.
func (p *Policy) Missing(header []string) []string {
	if p == nil {
		return nil
	}
	return slices.DeleteFunc(p.lists.All(), func(name string) bool { return slices.Contains(header, name) })
}
