package exporttest_test

import (
	"testing"

	"dfinery-kafka/connector/exporttest"

	"github.com/google/go-cmp/cmp"
)

func TestUnionHasEachRowAsOftenAsTheExportThatHasItMost(t *testing.T) {
	columns := []string{"a", "b"}
	first := exporttest.Table{Columns: columns, Rows: [][]string{{"1", "x"}, {"1", "x"}, {"2", ""}}}
	second := exporttest.Table{Columns: []string{"b", "c", "a"}, Rows: [][]string{{"x", "", "1"}, {"", "", "2"}, {"", "", "2"}, {"", "2", ""}}}
	want := []map[string]string{{"a": "1", "b": "x"}, {"a": "1", "b": "x"}, {"a": "2"}, {"a": "2"}, {"c": "2"}}
	if diff := cmp.Diff(want, exporttest.Union(first, second)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
