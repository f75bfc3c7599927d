package transfer

import (
	"context"
	"testing"

	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// TestPlainEncoder_Empty: without Values rows are JSON, with empty cells as the stream
// configures them.
func TestPlainEncoder_Empty(t *testing.T) {
	columns, err := schema.NewColumns([]string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	row := &schema.Row{Columns: columns, Data: []byte("x"), Cells: []schema.Span{{Start: 0, End: 1}, {Start: 1, End: 1}}}
	r := New(Config{Evolve: func(string) Evolve {
		return func(context.Context, func(*encoding.Evolution) (*encoding.Evolution, error)) (*encoding.Evolution, error) {
			return nil, nil
		}
	}})
	for empty, want := range map[schema.Empty]string{
		schema.EmptyOmit: `{"a":"x"}`, schema.EmptyNull: `{"a":"x","b":null}`, schema.EmptyString: `{"a":"x","b":""}`,
	} {
		e := r.newEncoder(&Stream{StreamConfig: schedule.StreamConfig{Empty: empty}})
		if err := e.Header(t.Context(), columns); err != nil {
			t.Fatal(err)
		}
		if got, err := e.Append(nil, row); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v; want %s", empty, got, err, want)
		}
	}
}
