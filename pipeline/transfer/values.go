package transfer

import (
	"context"
	"sync"
	"sync/atomic"

	"dfinery-kafka/schema/encoding"
	"dfinery-kafka/schema/registry"
)

// SchemaRegistry stores the schemas of values: a *registry.Client.
type SchemaRegistry interface {
	Register(context.Context, *registry.Schema) (id int, err error)
	Lookup(context.Context, *registry.Schema) (id int, err error)
}

// Values is the encoding of a stream's rows in a format with types.
type Values struct {
	encoding.Options
	Record, Subject string
	Registry        SchemaRegistry // nil for a format without
	// NullBadValues publishes null for a cell that its type refuses, instead of writing
	// a dead letter for the row.
	NullBadValues bool

	// lookedUp means that this process has found every version in the registry: from
	// then on known headers are published without it.
	lookedUp atomic.Bool
	// extending is held from the first change of the ledger for a header until the id
	// of its schema is stored: otherwise the fields of two headers could be registered
	// in one schema, and dropped together.
	extending sync.Mutex
	nulled    atomic.Int64 // cells published as null
}

// Evolve changes the evolution of the topic's schema in the ledger, and returns a copy of
// it. It waits until the change is acknowledged, so that columns keep their numbers
// through a crash, and a fenced instance registers nothing. The previous evolution is
// nil if there is none; the returned one replaces it unless it is nil.
type Evolve func(ctx context.Context, change func(*encoding.Evolution) (*encoding.Evolution, error)) (*encoding.Evolution, error)

// Nulled is how many cells have been published as null since the process started.
func (v *Values) Nulled() int64 { return v.nulled.Load() }

// keep changes nothing.
func keep(*encoding.Evolution) (*encoding.Evolution, error) { return nil, nil }
