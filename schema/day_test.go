package schema_test

import (
	"encoding/json"
	"testing"
	"time"
	_ "time/tzdata" // the test must not depend on the machine's zones

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/schema"
)

func TestDayInZones(t *testing.T) {
	tests := map[string]struct {
		zone, day  string
		start, end string // UTC
	}{
		"Seoul":                              {"Asia/Seoul", "2026-11-22", "2026-11-21T15:00:00Z", "2026-11-22T15:00:00Z"},
		"UTC":                                {"UTC", "2024-02-29", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"},
		"a year ends":                        {"Asia/Seoul", "2026-12-31", "2026-12-30T15:00:00Z", "2026-12-31T15:00:00Z"},
		"before 1970":                        {"UTC", "1969-12-31", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z"},
		"23 hours":                           {"Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		"25 hours":                           {"Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
		"midnight is skipped":                {"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"},
		"the day before that":                {"America/Sao_Paulo", "2018-11-03", "2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z"},
		"23:00 comes twice":                  {"America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z", "2018-02-19T03:00:00Z"},
		"the day whose midnight comes twice": {"America/Havana", "2026-11-01", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},
		"midnight comes twice, east":         {"Atlantic/Azores", "2026-10-25", "2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z"},
		"west of UTC":                        {"America/Los_Angeles", "2026-07-04", "2026-07-04T07:00:00Z", "2026-07-05T07:00:00Z"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			loc, err := time.LoadLocation(test.zone)
			if err != nil {
				t.Fatal(err)
			}
			day, err := schema.ParseDay(test.day)
			if err != nil {
				t.Fatal(err)
			}
			start, end := day.Start(loc), day.End(loc)
			got := []string{day.String(), start.UTC().Format(time.RFC3339), end.UTC().Format(time.RFC3339)}
			if diff := cmp.Diff([]string{test.day, test.start, test.end}, got); diff != "" {
				t.Errorf("day, start, end (-want +got):\n%s", diff)
			}
			for at, want := range map[time.Time]schema.Day{start: day, start.Add(-1): day - 1, end.Add(-1): day, end: day + 1} {
				if got := schema.DayOf(at, loc); got != want {
					t.Errorf("local time at %s is %s, want %s", at.UTC().Format(time.RFC3339Nano), got, want)
				}
			}
		})
	}
}

func TestParseDay(t *testing.T) {
	for _, text := range []string{"", "2026-11-2", "2026-02-30", "26-11-22", "2026/11/22", "2026-11-22T00:00:00Z", " 2026-11-22", "2026-13-01"} {
		if day, err := schema.ParseDay(text); err == nil {
			t.Errorf("%q is read as %s", text, day)
		}
	}
	var got map[schema.Day]schema.Day
	if err := json.Unmarshal([]byte(`{"2026-11-22":"1970-01-02"}`), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[schema.Day]schema.Day{20779: 1}, got); diff != "" {
		t.Errorf("as JSON (-want +got):\n%s", diff)
	}
	if err := json.Unmarshal([]byte(`{"2026-11-22":"x"}`), &got); err == nil {
		t.Error("a text that is not a day is parsed as one")
	}
}
