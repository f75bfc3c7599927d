package exporttest_test

import (
	"testing"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"

	"github.com/google/go-cmp/cmp"
)

func TestHeaders(t *testing.T) {
	d := day(t, "2026-11-22") // the 20,779th day: odd
	tests := []struct {
		name   string
		header exporttest.Header
		day    schema.Day
		export int
		want   []string
	}{
		{"new column, before", exporttest.NewColumn("c", d), d - 1, 1, []string{"a", "b", "d"}},
		{"new column, from then on", exporttest.NewColumn("c", d), d, 1, []string{"a", "b", "c", "d"}},
		{"empty column, absent", exporttest.EmptyColumn("e"), d, 1, []string{"a", "b", "c", "d"}},
		{"empty column, present", exporttest.EmptyColumn("e"), d, 2, []string{"a", "e", "b", "c", "d"}},
		{"rotated", exporttest.Rotated, d, 3, []string{"c", "d", "a", "b"}},
		{"both", exporttest.Headers(exporttest.EmptyColumn("e"), exporttest.NewColumn("c", d)), d - 1, 1, []string{"a", "e", "b", "d"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.header(test.day, test.export, []string{"a", "b", "c", "d"})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestHeaderOfAnExport: a header that changes moves cells but does not change their values.
func TestHeaderOfAnExport(t *testing.T) {
	d := day(t, yesterday)
	s := &exporttest.Server{Data: exporttest.Data{RowsPerDay: 40, Odd: 0.3, Header: exporttest.Headers(
		exporttest.NewColumn("coupon_code", d), exporttest.EmptyColumn("df_new"), exporttest.Rotated)}}
	server := start(t, s)
	for range 2 {
		got := parse(t, exportOK(t, server, eventPath, ofDay(yesterday)))
		calls := s.Calls()
		call := calls[len(calls)-1]
		if diff := cmp.Diff(asParsed(s.Expected(call)), got); diff != "" {
			t.Errorf("(-want +got)\n%.2000s", diff)
		}
		plain := exporttest.Data{RowsPerDay: 40, Odd: 0.3}.Export(call.Query)
		if diff := cmp.Diff(plain.Records(), s.Expected(call).Records()); diff != "" {
			t.Errorf("(-want +got)\n%.2000s", diff)
		}
	}
}
