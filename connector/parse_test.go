package connector_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector"
	"dfinery-kafka/schema"
)

func TestParseRow(t *testing.T) {
	t.Parallel()
	columns := []string{"df_unified_id", "a, with \"quotes\"", "다"}
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
	} {
		row, err := connector.ParseRow(columns, []byte(test.raw))
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
		got := make([]string, len(columns))
		for i := range got {
			got[i] = string(row.Cell(i))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(columns, row.Columns.Names); diff != "" {
			t.Errorf("%s: columns (-want +got):\n%s", name, diff)
		}
	}
}
