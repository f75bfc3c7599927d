package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// scriptedAPI is the source of all instances. Each export of a day has all rows so far.
type scriptedAPI struct {
	mu    sync.Mutex
	n     int           // rows
	every time.Duration // between two rows of an answer
}

func (a *scriptedAPI) rows(n int, every time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.n, a.every = a.n+n, every
}

func (a *scriptedAPI) Reserve(time.Time, int) (Permit, schema.Wait) { return a, schema.Wait{} }
func (a *scriptedAPI) State() json.RawMessage                       { return json.RawMessage("{}") }
func (a *scriptedAPI) LineEnds() json.RawMessage                    { return nil }
func (a *scriptedAPI) RetryToken(time.Time)                         {}
func (a *scriptedAPI) Accepts(schema.Cut) bool                      { return false }
func (a *scriptedAPI) Probe() bool                                  { return false }
func (a *scriptedAPI) Cancel()                                      {}

func (a *scriptedAPI) Export(ctx context.Context, _ schema.Export) (transfer.Body, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	columns, err := schema.NewColumns([]string{"id"})
	return &scriptedBody{ctx: ctx, columns: columns, left: a.n, offset: int64(len("id\n")), every: a.every}, err
}

// scriptedBody is an answer whose rows are numbered.
type scriptedBody struct {
	ctx     context.Context
	columns *schema.Columns
	n, left int
	offset  int64 // of the next row
	every   time.Duration
}

func (b *scriptedBody) Columns() *schema.Columns { return b.columns }
func (b *scriptedBody) More() bool               { return b.every == 0 }
func (b *scriptedBody) Charset() string          { return "" }
func (b *scriptedBody) Framed() bool             { return true }
func (b *scriptedBody) Request() schema.Request  { return schema.Request{} }
func (b *scriptedBody) Close() error             { return nil }

func (b *scriptedBody) Next() (*schema.Row, error) {
	if b.n == b.left {
		return nil, io.EOF
	}
	pause(b.ctx, b.every)
	if b.ctx.Err() != nil {
		return nil, &schema.Failure{Code: "cancelled", Class: schema.Cancelled, Detail: "the call was cancelled"}
	}
	b.n++
	text := fmt.Appendf(nil, "r%d", b.n)
	row := &schema.Row{Columns: b.columns, Cells: []schema.Span{{End: uint32(len(text))}}, Data: text, Raw: text, Plain: true, Line: b.n + 1, Offset: b.offset}
	b.offset += int64(len(text)) + 1
	return row, nil
}
