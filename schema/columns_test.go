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
		"twice":       {[]string{"b", "a", "c", "b"}, `column "b" stands there twice`},
		"twice alone": {[]string{"a", "a"}, `column "a" stands there twice`},
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
					t.Errorf("column %q stands at %d, want %d", name, got, i)
				}
			}
			if got := columns.Index("missing"); got != -1 {
				t.Errorf("a missing column stands at %d", got)
			}
		})
	}
}

func TestColumnsDifference(t *testing.T) {
	type difference struct {
		Added, Gone []string
		Moved       bool
	}
	tests := map[string]struct {
		old, new []string
		want     difference
	}{
		"same":                      {[]string{"a", "b"}, []string{"a", "b"}, difference{}},
		"added":                     {[]string{"a", "b"}, []string{"x", "a", "y", "b", "z"}, difference{Added: []string{"x", "y", "z"}}},
		"gone":                      {[]string{"x", "a", "y", "b"}, []string{"a", "b"}, difference{Gone: []string{"x", "y"}}},
		"moved":                     {[]string{"a", "b", "c"}, []string{"a", "c", "b"}, difference{Moved: true}},
		"first to the end":          {[]string{"a", "b", "c"}, []string{"b", "c", "a"}, difference{Moved: true}},
		"renamed":                   {[]string{"a", "b"}, []string{"a", "c"}, difference{Added: []string{"c"}, Gone: []string{"b"}}},
		"all at once":               {[]string{"a", "b", "c"}, []string{"c", "d", "a"}, difference{Added: []string{"d"}, Gone: []string{"b"}, Moved: true}},
		"from none":                 {nil, []string{"a"}, difference{Added: []string{"a"}}},
		"to none":                   {[]string{"a"}, nil, difference{Gone: []string{"a"}}},
		"places shift, order holds": {[]string{"x", "a", "b"}, []string{"a", "y", "b"}, difference{Added: []string{"y"}, Gone: []string{"x"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			older, err := schema.NewColumns(test.old)
			if err != nil {
				t.Fatal(err)
			}
			newer, err := schema.NewColumns(test.new)
			if err != nil {
				t.Fatal(err)
			}
			var got difference
			got.Added, got.Gone, got.Moved = newer.Difference(older)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("difference (-want +got):\n%s", diff)
			}
		})
	}
}
