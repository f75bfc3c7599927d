package transfer

import (
	"context"
	"sync"
	"sync/atomic"

	"dfinery-kafka/schema/encoding"
	"dfinery-kafka/schema/registry"
)

// SchemaRegistry keeps the schemas of values; a *registry.Client is one.
type SchemaRegistry interface {
	Register(context.Context, *registry.Schema) (id int, err error)
	Lookup(context.Context, *registry.Schema) (id int, err error)
}

// Values says how a stream's rows become values in a format with types.
type Values struct {
	encoding.Options
	Record, Subject string
	Registry        SchemaRegistry // nil for a format that has none
	// NullBadValues publishes null for a cell that its type refuses, instead of
	// making its row a dead letter.
	NullBadValues bool

	// lookedUp says that this process has found every version in the registry:
	// from then on known headers are published without it.
	lookedUp atomic.Bool
	// extending is held from the first change of the ledger for a header until
	// the id of its schema is there: the fields of two headers would else be
	// registered in one schema, and dropped together.
	extending sync.Mutex
	nulled    atomic.Int64 // cells that were published as null
}

// Evolve changes what the ledger has of a topic's schemas, and returns a copy of
// it. It waits until the ledger has acknowledged a change: columns keep their
// numbers through a crash, and an instance that was fenced registers nothing.
// The former one is nil if there is none; the returned one replaces it unless it
// is nil.
type Evolve func(ctx context.Context, change func(*encoding.Evolution) (*encoding.Evolution, error)) (*encoding.Evolution, error)

// Nulled is how many cells were published as null since the process started.
func (v *Values) Nulled() int64 { return v.nulled.Load() }

// keep changes nothing.
func keep(*encoding.Evolution) (*encoding.Evolution, error) { return nil, nil }
