package transfer

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// rowOf returns a row of two columns.
func rowOf(t *testing.T, a, b string) *schema.Row {
	t.Helper()
	columns, err := schema.NewColumns([]string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	data := []byte(a + b)
	return &schema.Row{Columns: columns, Data: data, Raw: data, Line: 2, Plain: true,
		Cells: []schema.Span{{End: uint32(len(a))}, {Start: uint32(len(a)), End: uint32(len(data))}}}
}

// refusing is an encoder that refuses every row, as if a cell had a wrong type.
type refusing struct{ encoding.JSON }

func (*refusing) Append(dst []byte, row *schema.Row) ([]byte, error) {
	return dst, row.Bad(schema.BadValue, schema.OriginSchema, "refused", "refused")
}

// TestMetaEncoder: the added members follow those of the row, with JSON escapes. The dead
// letter of a row has only the columns of its header.
func TestMetaEncoder(t *testing.T) {
	t.Parallel()
	id := []byte("YOJRbHLWBkVpeGQTq7BC1g.1")
	row := rowOf(t, "1", "가")
	for service, want := range map[string]string{
		"1234":  `{"a":"1","b":"가","_id":"YOJRbHLWBkVpeGQTq7BC1g.1","_day":"2026-11-23","_stream":"events","_service":"1234"}`,
		`1"2\3`: `{"a":"1","b":"가","_id":"YOJRbHLWBkVpeGQTq7BC1g.1","_day":"2026-11-23","_stream":"events","_service":"1\"2\\3"}`,
	} {
		day, err := schema.ParseDay("2026-11-23")
		if err != nil {
			t.Fatal(err)
		}
		m := newMetaEncoder(new(encoding.JSON), &schema.Export{Service: service, Stream: "events", Day: day}, &id)
		if err := m.Header(context.Background(), row.Columns); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time with reused memory
			got, err := m.Append([]byte("before "), row)
			if diff := cmp.Diff("before "+want, string(got)); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		}
	}
	m := newMetaEncoder(new(refusing), &schema.Export{}, &id)
	if err := m.Header(context.Background(), row.Columns); err != nil {
		t.Fatal(err)
	}
	_, err := m.Append(nil, row)
	bad, ok := errors.AsType[*schema.BadRow](err)
	if !ok || bad.Columns != row.Columns {
		t.Errorf("the bad row is %+v", bad)
	}
}

// TestRecordKey: with one column the key is the cell; with several it is a JSON array, which
// differs for different cells.
func TestRecordKey(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		key        schema.Key
		a, b       string
		want       string
		wantsEmpty string
	}{
		{"a", `x"`, "", `x"`, ""},
		{"a", "", "y", "", "a"},
		{"a,b", "x", "y", `["x","y"]`, ""},
		{"b,a", "x", "y", `["y","x"]`, ""},
		{"a,b", `x","y`, `\`, `["x\",\"y","\\"]`, ""},
		{"a,b", "x", "", "", "b"},
	} {
		var k recordKey
		row := rowOf(t, test.a, test.b)
		k.setColumns(test.key, row.Columns)
		if got, empty := k.of(row); string(got) != test.want || empty != test.wantsEmpty {
			t.Errorf("key %s of %q and %q is %s, empty %q", test.key, test.a, test.b, got, empty)
		}
	}
}
