package encoding

import (
	"math/rand/v2"
	"testing"

	"dfinery-kafka/schema"
)

// TestEncoders_RefusedCell: a cell that its type refuses fails its row, or with Nulls becomes
// null and is counted.
func TestEncoders_RefusedCell(t *testing.T) {
	columns, err := schema.NewColumns([]string{"df_unified_id", "count"})
	if err != nil {
		t.Fatal(err)
	}
	row := &schema.Row{Columns: columns, Data: []byte("u1x7"), Cells: []schema.Span{{Start: 0, End: 2}, {Start: 2, End: 4}}}
	for _, nulls := range []bool{false, true} {
		counted := 0
		n := Nulls{Publish: nulls, Count: func() { counted++ }}
		for name, e := range map[string]rowEncoder{"avro": &avroEncoder{nulls: n}, "protobuf": &protobufEncoder{nulls: n}, "json": &typedJSONEncoder{nulls: n, empty: schema.EmptyNull}} {
			e.header(placesBelow(columns), columns)
			_, err := e.append(nil, row)
			switch refused, ok := err.(*ValueError); {
			case nulls && err != nil:
				t.Errorf("%s: %v", name, err)
			case !nulls && (!ok || refused.Column != "count" || string(refused.Cell) != "x7" || refused.Type.Kind != Long):
				t.Errorf("%s: %v", name, err)
			}
		}
		if want := map[bool]int{false: 0, true: 3}[nulls]; counted != want {
			t.Errorf("%d cells were counted, want %d", counted, want)
		}
	}
}

// No encoder allocates for a row.
func TestEncoders_Allocations(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	row, _ := randomRow(t, r)
	buffer := make([]byte, 0, 64<<10)
	for name, e := range map[string]rowEncoder{"avro": &avroEncoder{}, "protobuf": &protobufEncoder{}, "json": &typedJSONEncoder{}} {
		e.header(placesBelow(row.Columns), row.Columns)
		if n := testing.AllocsPerRun(100, func() { _, _ = e.append(buffer, row) }); n > 0 {
			t.Errorf("%s allocates %v times a row", name, n)
		}
	}
}
