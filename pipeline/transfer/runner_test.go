package transfer

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// partition counts records. While it is full, Append blocks.
type partition struct {
	n    int
	full chan struct{} // nil: it is not full
}

func (p *partition) TryFlush() bool { return true }

func (p *partition) Append([]byte, recordbatch.Value, []recordbatch.Header) error {
	if p.full != nil {
		<-p.full
	}
	p.n++
	return nil
}

// answer is a call with different rows, which arrive when the test sends to arrived. It ends
// when arrived is closed.
type answer struct {
	columns *schema.Columns
	arrived chan struct{}
	n       byte
}

func (a *answer) Cancel()                                             {}
func (a *answer) Close() error                                        { return nil }
func (a *answer) Charset() string                                     { return "" }
func (a *answer) Request() schema.Request                             { return schema.Request{} }
func (a *answer) Columns() *schema.Columns                            { return a.columns }
func (a *answer) More() bool                                          { return false } // rows are published one at a time
func (a *answer) Export(context.Context, schema.Export) (Body, error) { return a, nil }

func (a *answer) Framed() bool { return false }

func (a *answer) Next() (*schema.Row, error) {
	if _, ok := <-a.arrived; !ok {
		return nil, io.EOF
	}
	a.n++
	text := []byte{'k', a.n}
	return &schema.Row{Columns: a.columns, Cells: []schema.Span{{End: 2}}, Data: text, Raw: text}, nil
}

type noSets struct{}

func (noSets) LoadSet(context.Context, ledger.DayName, *ledger.Day) (*dedup.Set, error) {
	return new(dedup.Set), nil
}

// TestRunner_Pause: during a pause each row is either not begun or completely processed.
// Collect returns the progress since the last pause, and the end of an export is reported
// once.
func TestRunner_Pause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		columns, err := schema.NewColumns([]string{"key"})
		if err != nil {
			t.Fatal(err)
		}
		p, rows := new(partition), &answer{columns: columns, arrived: make(chan struct{})}
		r := New(Config{
			Streams: []Stream{{StreamConfig: schedule.StreamConfig{Name: "events", Kind: schema.Event, Key: "key"}, MaxBad: 1}},
			Limit:   1, Sets: noSets{}, Log: slog.New(slog.DiscardHandler),
			Evolve: func(string) Evolve {
				return func(context.Context, func(*encoding.Evolution) (*encoding.Evolution, error)) (*encoding.Evolution, error) {
					return nil, nil
				}
			},
		})
		r.Open("events", []Appender{p})
		r.OpenLetters([]Appender{p})
		day := ledger.DayName{Stream: "events", Day: 20_000}
		r.Start(t.Context(), Job{Call: schema.Export{Service: "1234", Stream: "events", Kind: schema.Event, Key: "key", Day: day.Day, N: 1}, Permit: rows})
		if r.Free() || r.Idle() || !r.Day(day).Busy() {
			t.Error("no export is in progress after its start")
		}
		collect := func(want ...Progress) {
			t.Helper()
			resume := r.Pause()
			defer resume()
			got := r.Collect()
			for i := range got {
				got[i].News.Bytes = 0
			}
			if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *Export) bool { return a == b })); diff != "" {
				t.Errorf("progress (-want +got):\n%s", diff)
			}
			r.Day(day).Rows.Saved()
		}
		for n := range 3 {
			rows.arrived <- struct{}{}
			synctest.Wait()
			if !r.Unsaved() {
				t.Errorf("row %d counts as saved", n)
			}
			collect(Progress{Day: day, News: Tally{Published: 1}})
			if r.Unsaved() {
				t.Errorf("row %d is not saved", n)
			}
		}
		p.full = make(chan struct{})
		rows.arrived <- struct{}{}
		synctest.Wait() // the row is being processed and blocks in Append
		paused := make(chan struct{})
		go func() {
			collect(Progress{Day: day, News: Tally{Published: 1}}) // the pause waits for the row
			close(paused)
		}()
		close(p.full)
		<-paused
		close(rows.arrived)
		e := <-r.Ended()
		r.TakeBack(e)
		if !r.Idle() || !r.Day(day).Busy() {
			t.Error("a day whose export was not collected yet is not busy")
		}
		collect(Progress{Day: day, Ended: e})
		collect()
		if !r.Free() || !r.Idle() || r.Day(day).Busy() || r.Unsaved() || r.Pending(day) != 0 {
			t.Error("an export is in progress after its end")
		}
	})
}
