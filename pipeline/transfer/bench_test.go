package transfer

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"testing"

	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// encoded encodes records and discards them.
type encoded struct{ buffer []byte }

func (*encoded) TryFlush() bool { return true }

func (e *encoded) Append(_ []byte, value recordbatch.Value, _ []recordbatch.Header) (err error) {
	e.buffer, err = value.Append(e.buffer[:0])
	return err
}

// rowsAnswer is a call whose rows have all arrived.
type rowsAnswer struct {
	answer
	rows []schema.Row
	next int
}

func (a *rowsAnswer) More() bool                                          { return a.next < len(a.rows) }
func (a *rowsAnswer) Export(context.Context, schema.Export) (Body, error) { return a, nil }

func (a *rowsAnswer) Next() (*schema.Row, error) {
	if a.next == len(a.rows) {
		return nil, io.EOF
	}
	a.next++
	return &a.rows[a.next-1], nil
}

// BenchmarkExport exports rows from memory: all of them new, or all published before.
func BenchmarkExport(b *testing.B) {
	const n = 100_000
	names := []string{"key", "event_name", "df_server_datetime", "city", "amount", "note"}
	columns, err := schema.NewColumns(names)
	if err != nil {
		b.Fatal(err)
	}
	rows := make([]schema.Row, n)
	for i := range rows {
		row := schema.Row{Columns: columns, Plain: true}
		for _, cell := range []string{fmt.Sprintf("user-%d", i), "df_purchase", "2026-11-24T12:00:00.000Z", "Seoul", "12900", "a text of some length"} {
			start := uint32(len(row.Data))
			row.Data = append(row.Data, cell...)
			row.Cells = append(row.Cells, schema.Span{Start: start, End: uint32(len(row.Data))})
		}
		row.Raw = row.Data
		rows[i] = row
	}
	for _, known := range []bool{false, true} {
		b.Run(map[bool]string{false: "new", true: "known"}[known], func(b *testing.B) {
			b.ReportAllocs()
			r := benchRunner()
			for range b.N {
				if !known {
					b.StopTimer()
					r = benchRunner()
					b.StartTimer()
				}
				r.Start(b.Context(), Job{Call: schema.Export{Service: "1234", Stream: "events", Kind: schema.Event, Key: "key", Day: 20_000, N: 1},
					Permit: &rowsAnswer{answer: answer{columns: columns}, rows: rows}})
				e := <-r.Ended()
				r.TakeBack(e)
				r.Collect()
				if e.Err != nil || e.Sum().Rows() != n {
					b.Fatal(e.Err, e.Sum())
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
		})
	}
}

// benchRunner returns a runner with one stream and no published rows.
func benchRunner() *Runner {
	r := New(Config{
		Streams: []Stream{{StreamConfig: schedule.StreamConfig{Name: "events", Kind: schema.Event, Key: "key"}, MaxBad: 0.5}},
		Limit:   1, Sets: noSets{}, Log: slog.New(slog.DiscardHandler),
		Evolve: func(string) Evolve {
			return func(context.Context, func(*encoding.Evolution) (*encoding.Evolution, error)) (*encoding.Evolution, error) {
				return nil, nil
			}
		},
	})
	r.Open("events", []Appender{new(encoded), new(encoded), new(encoded)})
	r.OpenLetters([]Appender{new(encoded)})
	return r
}
