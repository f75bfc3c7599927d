package schema_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dfinery-kafka/schema"
)

func TestCopyInto(t *testing.T) {
	columns, err := schema.NewColumns([]string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	row := func(raw, data string, cells ...schema.Span) *schema.Row {
		r := &schema.Row{Columns: columns, Cells: cells, Data: []byte(data), Line: len(data), Offset: 7, Plain: len(raw) == len(data)}
		r.Raw = r.Data[:len(raw)]
		return r
	}
	var dst schema.Row // each copy reuses the memory of the previous one
	for _, make := range []func() *schema.Row{
		func() *schema.Row { return row("1,22", "1,22", schema.Span{End: 1}, schema.Span{Start: 2, End: 4}) },
		func() *schema.Row {
			return row(`"a""b",c`, `"a""b",ca"b`, schema.Span{Start: 8, End: 11}, schema.Span{Start: 7, End: 8})
		},
		func() *schema.Row { return row(",", ",", schema.Span{}, schema.Span{Start: 1, End: 1}) },
	} {
		r, want := make(), make()
		r.CopyInto(&dst)
		clear(r.Data)
		clear(r.Cells)
		if diff := cmp.Diff(want, &dst, cmpopts.IgnoreUnexported(schema.Columns{})); diff != "" {
			t.Errorf("copy (-want +got):\n%s", diff)
		}
	}
}
