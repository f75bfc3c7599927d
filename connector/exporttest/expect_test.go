package exporttest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
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

func TestVariant_EqualOnlyForEqualTables(t *testing.T) {
	const day = 20779
	for name, d := range map[string]exporttest.Data{
		"late and gone": {RowsPerDay: 20, Late: 0.3, LateFrom: 3, Gone: 0.3, GoneFrom: 5}, "gone later": {RowsPerDay: 20, Gone: 0.3, GoneFrom: 3, Late: 0.3, LateFrom: 5},
		"gone": {RowsPerDay: 20, Gone: 0.3}, "shuffled": {RowsPerDay: 20, Shuffle: true}, "rotated": {RowsPerDay: 5, Header: exporttest.Rotated},
		"live": {RowsPerDay: 20, Live: true}, "late by time": {RowsPerDay: 20, Late: 0.3, LateAfter: 30 * time.Hour}, "plain": {RowsPerDay: 5},
	} {
		d.Columns = 6
		variants := map[string]exporttest.Table{}
		for _, filter := range []schema.Filter{{}, {ExcludeEvents: []string{"df_login"}}} {
			for export := range 7 {
				for hours := -14; hours < 70; hours += 16 {
					q := exporttest.Query{Kind: schema.Event, From: day, To: day + 1, Filter: filter, Export: export, Now: schema.Day(day).Start(time.UTC).Add(time.Duration(hours) * time.Hour)}
					table, variant := d.Export(q), d.Variant(q)
					if former, met := variants[variant]; met && !cmp.Equal(former, table, rowByRow) {
						t.Fatalf("%s: two different tables have the variant %s", name, variant)
					}
					variants[variant] = table
				}
			}
		}
		if most := 2 * 2 * 3; name == "plain" && len(variants) > most { // by the filter, GoneFrom (which alone makes 2), and which days have begun
			t.Errorf("%d variants of data that do not change, want %d", len(variants), most)
		}
	}
}
