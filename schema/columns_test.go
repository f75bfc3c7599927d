package schema_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/schema"
)

func TestNewColumns(t *testing.T) {
	tests := map[string]struct {
		names []string
		want  string
	}{
		"none":        {[]string{}, ""},
		"fine":        {[]string{"a", "A", "a ", "é"}, ""},
		"empty":       {[]string{"a", "", "b"}, "column 2 has no name"},
		"twice":       {[]string{"b", "a", "c", "b"}, `column "b" occurs twice`},
		"twice alone": {[]string{"a", "a"}, `column "a" occurs twice`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			columns, err := schema.NewColumns(test.names)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Fatalf("error (-want +got):\n%s", diff)
			}
			if err != nil {
				return
			}
			for i, name := range test.names {
				if got := columns.Index(name); got != i {
					t.Errorf("column %q is at %d, want %d", name, got, i)
				}
			}
			if got := columns.Index("missing"); got != -1 {
				t.Errorf("a missing column is at %d", got)
			}
		})
	}
}
