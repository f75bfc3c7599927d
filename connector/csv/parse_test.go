package csv_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/csv"
	"dfinery-kafka/schema"
)

func TestParseRow(t *testing.T) {
	t.Parallel()
	columns, err := schema.NewColumns([]string{"df_unified_id", "a, with \"quotes\"", "다"})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		raw  string
		want []string
		bad  schema.Code
	}{
		"plain":              {"u1,x,y", []string{"u1", "x", "y"}, ""},
		"quoted lines":       {"u1,\"x\r\n\"\"y\"\"\",", []string{"u1", "x\r\n\"y\"", ""}, ""},
		"shorter than names": {",,", []string{"", "", ""}, ""},
		"a field too many":   {"u1,x,y,z", nil, schema.FieldCount},
		"broken quotes":      {"u1,x\"x,y", nil, schema.BadQuotes},
		"not UTF-8":          {"u1,\xff,y", nil, schema.InvalidUTF8},
		"an open quote":      {"u1,\"x,y", nil, schema.BadQuotes},
		"longer than a scan": {"u1," + strings.Repeat("x", 1000) + ",y", []string{"u1", strings.Repeat("x", 1000), "y"}, ""},
	} {
		row, err := csv.ParseRow(columns, []byte(test.raw))
		if test.bad != "" {
			if bad, ok := errors.AsType[*schema.BadRow](err); !ok || bad.Code != test.bad {
				t.Errorf("%s: %v, want %s", name, err, test.bad)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := make([]string, len(columns.Names))
		for i := range got {
			got[i] = string(row.Cell(i))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if row.Columns != columns {
			t.Errorf("%s: the row has other columns", name)
		}
	}
	for _, raw := range []string{"", "\r", "\n\n"} {
		if row, err := csv.ParseRow(columns, []byte(raw)); err == nil || errors.As(err, new(*schema.BadRow)) {
			t.Errorf("%q: %v, %v, want an error: there is no row", raw, row, err)
		}
	}
}
