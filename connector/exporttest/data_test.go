package exporttest_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"

	"github.com/google/go-cmp/cmp"
)

// sorted returns the rows of a table in an order that does not depend on the export.
func sorted(table exporttest.Table) [][]string {
	rows := slices.Clone(table.Rows)
	slices.SortFunc(rows, slices.Compare)
	return rows
}

func yesterdays(t *testing.T) exporttest.Query {
	d := day(t, yesterday)
	return exporttest.Query{Kind: schema.Event, From: d, To: d, Export: 1}
}

// TestRowsArePinned: rows depend only on the seed, in every release, so that benchmarks can be
// compared.
func TestRowsArePinned(t *testing.T) {
	got := exporttest.Data{Seed: 1, RowsPerDay: 1}.Export(yesterdays(t)).Records()
	want := []map[string]string{{
		"coupon_code":              "WELCOME0080",
		"df_api_version":           "2.0",
		"df_app_version":           "3.10.0",
		"df_correction_datetime":   "2026-11-22T10:53:48.899Z",
		"df_country":               "US",
		"df_items_df_category2":    "Outer",
		"df_items_df_item_id":      "ITEM-00000121",
		"df_items_df_item_name":    "Cotton shirt with long sleeves 064",
		"df_items_df_price":        "84900.0",
		"df_order_id":              "ORD-20261122-000041",
		"df_sdk_version":           "1.1.0",
		"df_server_datetime":       "2026-11-22T10:53:52.475Z",
		"df_timezone":              "Asia/Seoul",
		"df_total_purchase_amount": "101890.0",
		"df_unified_id":            "u000000475",
		"event_log_id":             "2ce1d086-0d3a-4df8-371c-83de4266bf56",
		"event_name":               "df_sign_up",
		"memo":                     "delivery in front of the door 6 and a message on arrival",
		"store_name":               "Gangnam store 28",
		"visit_count":              "87",
	}}
	if diff := cmp.Diff(want, got, rowByRow); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRowsDependOnSeedDayAndNumberAlone(t *testing.T) {
	q := yesterdays(t)
	base := exporttest.Data{Seed: 3, RowsPerDay: 200, Odd: 0.2, Duplicates: 0.1}
	want := base.Export(q)
	if diff := cmp.Diff(want, base.Export(q), rowByRow); diff != "" {
		t.Errorf("a second time (-want +got)\n%s", diff)
	}
	more := base
	more.RowsPerDay = 300
	if diff := cmp.Diff(want.Rows, more.Export(q).Rows[:200], rowByRow); diff != "" {
		t.Errorf("with more rows (-want +got)\n%s", diff)
	}
	both := q
	both.From--
	if diff := cmp.Diff(want.Rows, base.Export(both).Rows[200:], rowByRow); diff != "" {
		t.Errorf("with the day before (-want +got)\n%s", diff)
	}
	other := base
	other.Seed = 4
	before := q
	before.From, before.To = q.From-1, q.To-1
	for name, rows := range map[string][][]string{"seed": other.Export(q).Rows, "day": base.Export(before).Rows} {
		for i, row := range rows {
			if slices.Equal(row, want.Rows[i]) {
				t.Errorf("another %s has the same row %d", name, i)
			}
		}
	}
}

func TestRowsBelongToTheirDay(t *testing.T) {
	d := exporttest.Data{RowsPerDay: 500, Location: time.FixedZone("", -7*3600)}
	q := yesterdays(t)
	from, until := q.From.Start(d.Location), q.From.End(d.Location)
	logs := make(map[string]bool)
	for cells := range d.Rows(q) {
		at, err := time.Parse("2006-01-02T15:04:05.000Z", cells[3])
		if err != nil || at.Before(from) || !at.Before(until) {
			t.Fatalf("df_server_datetime %s (%v) is not between %s and %s", cells[3], err, from, until)
		}
		logs[cells[5]] = true
	}
	if len(logs) != 500 {
		t.Errorf("%d different event_log_id in 500 rows", len(logs))
	}
}

func TestShuffleChangesTheOrderAlone(t *testing.T) {
	for _, n := range []int{1, 2, 3, 60, 210, 500} { // with many divisors, and few
		d := exporttest.Data{RowsPerDay: n}
		q := yesterdays(t)
		plain := d.Export(q)
		before := plain
		d.Shuffle = true
		for q.Export = 1; q.Export <= 8; q.Export++ {
			got := d.Export(q)
			if diff := cmp.Diff(sorted(plain), sorted(got), rowByRow); diff != "" {
				t.Errorf("%d rows, export %d (-want +got)\n%.2000s", n, q.Export, diff)
			}
			if n == 500 && (reflect.DeepEqual(plain, got) || reflect.DeepEqual(before, got)) {
				t.Errorf("export %d has the order of one before", q.Export)
			}
			before = got
		}
	}
}

func TestDaysAfterTodayAreEmpty(t *testing.T) {
	q := yesterdays(t)
	q.To, q.Now = q.From+2, noon
	want := yesterdays(t)
	want.To++
	var d exporttest.Data
	if diff := cmp.Diff(d.Export(want), d.Export(q), rowByRow); diff != "" {
		t.Errorf("(-want +got)\n%.2000s", diff)
	}
}

func TestDuplicatesAreEqualInEveryCell(t *testing.T) {
	d := exporttest.Data{RowsPerDay: 1000, Duplicates: 0.3}
	copies := 0
	table := d.Export(yesterdays(t))
	for i, cells := range table.Rows {
		if i > 0 && slices.Equal(cells, table.Rows[i-1]) {
			copies++
		}
	}
	if copies < 240 || copies > 360 {
		t.Errorf("%d copies among 1000 rows, want about 300", copies)
	}
}

func TestProfilesChangeOnceAWeek(t *testing.T) {
	d := exporttest.Data{Users: 700}
	from := day(t, yesterday)
	of := func(day schema.Day) exporttest.Table {
		return d.Export(exporttest.Query{Kind: schema.UserProfile, From: day, To: day})
	}
	today, tomorrow, week := of(from), of(from+1), of(from+7)
	changed, again := 0, 0
	for i, cells := range today.Rows {
		if !slices.Equal(cells, tomorrow.Rows[i]) {
			changed++
		}
		if !slices.Equal(cells, week.Rows[i]) {
			again++
		}
	}
	if changed < 90 || changed > 100 || again < 680 {
		t.Errorf("%d of 700 profiles changed in a day, %d in a week", changed, again)
	}
}
