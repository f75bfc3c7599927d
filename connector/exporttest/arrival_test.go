package exporttest_test

import (
	"slices"
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"

	"github.com/google/go-cmp/cmp"
)

// union returns the rows of both tables, common rows once.
func union(a, b exporttest.Table) [][]string {
	rows := slices.Clone(a.Rows)
	have := make(map[string]bool)
	for _, cells := range a.Rows {
		have[cells[5]] = true // event_log_id
	}
	for _, cells := range b.Rows {
		if !have[cells[5]] {
			rows = append(rows, cells)
		}
	}
	return rows
}

// TestRowsComeAndGo: an export lacks some of all rows if rows are late, are removed later or
// arrive during the day. Which ones depends on the export and its time.
func TestRowsComeAndGo(t *testing.T) {
	end := day(t, yesterday).End(time.FixedZone("", 9*3600))
	tests := []struct {
		name          string
		data          exporttest.Data
		before, after func(*exporttest.Query) // before: some rows are missing; after: none
	}{
		{
			name: "late by exports", data: exporttest.Data{Late: 0.2, LateFrom: 3},
			before: func(q *exporttest.Query) { q.Export = 2 }, after: func(q *exporttest.Query) { q.Export = 3 },
		},
		{
			name: "late by time", data: exporttest.Data{Late: 0.2, LateAfter: time.Hour},
			before: func(q *exporttest.Query) { q.Now = end.Add(time.Hour - 1) }, after: func(q *exporttest.Query) { q.Now = end.Add(time.Hour) },
		},
		{
			name: "gone from the second export on", data: exporttest.Data{Gone: 0.2},
			before: func(q *exporttest.Query) { q.Export = 2 }, after: func(q *exporttest.Query) { q.Export = 1 },
		},
		{
			name: "live", data: exporttest.Data{Live: true},
			before: func(q *exporttest.Query) { q.Now = end.Add(-5 * time.Hour) }, after: func(q *exporttest.Query) { q.Now = end },
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.data.RowsPerDay = 1000
			less, more := yesterdays(t), yesterdays(t)
			test.before(&less)
			test.after(&more)
			all := exporttest.Data{RowsPerDay: 1000}.Export(yesterdays(t))
			part, full := test.data.Export(less), test.data.Export(more)
			if diff := cmp.Diff(all, full, rowByRow); diff != "" {
				t.Errorf("later (-want +got)\n%.2000s", diff)
			}
			missing := len(all.Rows) - len(part.Rows)
			if missing < 150 || missing > 260 {
				t.Errorf("%d of 1000 rows are missing, want about 200", missing)
			}
			if diff := cmp.Diff(sorted(all), sorted(exporttest.Table{Rows: union(part, full)}), rowByRow); diff != "" {
				t.Errorf("together (-want +got)\n%.2000s", diff)
			}
		})
	}
}

func TestLiveRowsAreThoseThatHaveArrived(t *testing.T) {
	q := yesterdays(t)
	d := exporttest.Data{RowsPerDay: 2000}
	q.Now = q.From.Start(time.FixedZone("", 9*3600)).Add(7*time.Hour + 1234*time.Millisecond)
	var want [][]string
	for cells := range d.Rows(q) {
		if cells[3] <= q.Now.UTC().Format("2006-01-02T15:04:05.000Z") {
			want = append(want, cells)
		}
	}
	d.Live = true
	if diff := cmp.Diff(want, d.Export(q).Rows, rowByRow); diff != "" || len(want) == 0 {
		t.Fatalf("%d rows (-want +got)\n%.2000s", len(want), diff)
	}
	first := want[0]
	at, err := time.Parse("2006-01-02T15:04:05.000Z", first[3])
	if err != nil {
		t.Fatal(err)
	}
	for early, want := range map[time.Duration]bool{0: true, time.Millisecond: false} {
		q.Now = at.Add(-early)
		got := slices.ContainsFunc(d.Export(q).Rows, func(cells []string) bool { return slices.Equal(cells, first) })
		if got != want {
			t.Errorf("%s before its arrival the export has the row: %t", early, got)
		}
	}
}
