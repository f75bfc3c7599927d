package exporttest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"

	"github.com/google/go-cmp/cmp"
)

func TestBadRowsStandBetweenGoodOnes(t *testing.T) {
	s := &exporttest.Server{Data: exporttest.Data{RowsPerDay: 4}, Format: exporttest.Format{CRLF: true}}
	s.Inject(exporttest.Fault{BadRows: []exporttest.BadRow{
		{After: 9, Kind: exporttest.OpenQuote}, {After: 0, Kind: exporttest.FewerFields}, {After: 2, Kind: exporttest.MoreFields}, {After: 2, Kind: exporttest.EmptyLine},
	}})
	server := start(t, s)
	body := `{"events_condition_type":"all","properties_condition_type":"include","properties":["memo"],"from_date":"2026-11-22","to_date":"2026-11-22"}`
	got := strings.Split(string(exportOK(t, server, eventPath, body)), "\r\n")
	good := strings.Split(csvOf(s.Expected(s.Calls()[0])), "\n")
	want := []string{
		good[0],
		"u000000001,bad 0,bad 0,bad 0",
		good[1], good[2],
		"u000000001,bad 2,bad 2,bad 2,bad 2,bad 2,,one more", "",
		good[3], good[4],
		`u000000001,bad 9,bad 9,bad 9,bad 9,bad 9,"open`, "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestBadRowLines(t *testing.T) {
	columns := []string{"a", "df_unified_id", "b"}
	tests := []struct {
		row  exporttest.BadRow
		want string
	}{
		{exporttest.BadRow{Kind: exporttest.FewerFields}, "bad 0,u000000001"},
		{exporttest.BadRow{Kind: exporttest.MoreFields, After: 3}, "bad 3,u000000001,,one more"},
		{exporttest.BadRow{Kind: exporttest.BareQuote}, `bad 0,u000000001,4" screen`},
		{exporttest.BadRow{Kind: exporttest.AfterQuote}, `bad 0,u000000001,"quoted" and more`},
		{exporttest.BadRow{Kind: exporttest.OpenQuote}, `bad 0,u000000001,"open`},
		{exporttest.BadRow{Kind: exporttest.InvalidUTF8}, "bad 0,u000000001,caf\xe9"},
		{exporttest.BadRow{Kind: exporttest.EmptyKey}, "bad 0,,"},
		{exporttest.BadRow{Kind: exporttest.HugeCell, Size: 5}, "bad 0,u000000001,xxxxx"},
		{exporttest.BadRow{Kind: exporttest.HugeCell}, "bad 0,u000000001," + strings.Repeat("x", 2<<20)},
		{exporttest.BadRow{Kind: exporttest.EmptyLine}, ""},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.row), func(t *testing.T) {
			if got := test.row.Line(columns); got != test.want {
				t.Errorf("%.100q, want %.100q", got, test.want)
			}
		})
	}
}

func TestHeaderLineFaults(t *testing.T) {
	system := []string{"df_unified_id", "event_name", "df_api_version", "df_server_datetime", "df_correction_datetime", "event_log_id"}
	tests := []struct {
		name  string
		fault exporttest.Fault
		want  string
	}{
		{"no fault", exporttest.Fault{}, strings.Join(system, ",")},
		{"without the key", exporttest.Fault{Without: []string{"df_unified_id"}}, strings.Join(system[1:], ",")},
		{"a doubled name", exporttest.Fault{Rename: map[string]string{"event_log_id": "event_name"}}, strings.Join(system[:5], ",") + ",event_name"},
		{"no name", exporttest.Fault{Rename: map[string]string{"df_unified_id": ""}}, "," + strings.Join(system[1:], ",")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := &exporttest.Server{Data: exporttest.Data{RowsPerDay: 2, Columns: 6}}
			s.Inject(test.fault)
			got := strings.Split(string(exportOK(t, start(t, s), eventPath, ofDay(yesterday))), "\n")
			expected := s.Expected(s.Calls()[0])
			want := []string{test.want}
			for _, cells := range expected.Rows {
				if test.fault.Without != nil {
					cells = cells[1:]
				}
				want = append(want, strings.Join(cells, ","))
			}
			if diff := cmp.Diff(append(want, ""), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestFaultyHeaders(t *testing.T) {
	s := &exporttest.Server{}
	s.Inject(exporttest.Fault{
		DateOff: -3 * time.Hour, EchoToken: true, ContentType: "application/json",
		Header: http.Header{"Retry-After": {"17"}, "X-Rate-Limit-Remaining": {"-1"}},
	})
	answer, _, err := export(t, start(t, s), eventPath, ofDay(yesterday))
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, name := range []string{"Date", "X-Request-Authorization", "Content-Type", "Retry-After", "X-Rate-Limit-Remaining"} {
		got[name] = strings.Join(answer.Header.Values(name), "|")
	}
	want := map[string]string{
		"Date": "Mon, 23 Nov 2026 00:00:00 GMT", "X-Request-Authorization": "Bearer export-token", "Content-Type": "application/json",
		"Retry-After": "17", "X-Rate-Limit-Remaining": "-1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestWhichCallsGoWrong(t *testing.T) {
	s := &exporttest.Server{
		Faults: func(c exporttest.Call) *exporttest.Fault {
			if c.N == 3 || c.Kind == schema.UserProfile || c.Query.From == day(t, "2026-11-20") {
				return &exporttest.Fault{Code: schema.UnknownError}
			}
			return nil
		},
		Poison: []exporttest.Poison{{Day: day(t, yesterday), Event: "df_login"}, {Event: "df_refund"}},
		Data:   exporttest.Data{RowsPerDay: 10},
	}
	s.Inject(exporttest.Fault{Status: 502}, exporttest.Fault{})
	server := start(t, s)
	events := func(condition, from, to string) string {
		return fmt.Sprintf(`{%s,"from_date":%q,"to_date":%q}`, condition, from, to)
	}
	const (
		all     = `"events_condition_type":"all"`
		login   = `"events_condition_type":"include","events":["df_login"]`
		logout  = `"events_condition_type":"include","events":["df_logout"]`
		neither = `"events_condition_type":"exclude","events":["df_login","df_refund"]`
	)
	tests := []struct {
		name, path, body string
		want             int
	}{
		{"1: injected", eventPath, events(all, yesterday, yesterday), 502},
		{"2: injected to go well", eventPath, events(all, yesterday, yesterday), 200},
		{"3: by its number", eventPath, events(neither, yesterday, yesterday), 500},
		{"poisoned", eventPath, events(all, yesterday, yesterday), 500},
		{"poisoned alone", eventPath, events(login, yesterday, yesterday), 500},
		{"another event", eventPath, events(logout, yesterday, yesterday), 200},
		{"without the poison", eventPath, events(neither, yesterday, yesterday), 200},
		{"another day", eventPath, events(login, "2026-11-23", "2026-11-23"), 200},
		{"days around it", eventPath, events(login, "2026-11-21", "2026-11-23"), 500},
		{"poison of every day", eventPath, events(all, "2026-11-21", "2026-11-21"), 500},
		{"by its day", eventPath, events(logout, "2026-11-20", "2026-11-20"), 500},
		{"by its kind", profilePath, `{"properties_condition_type":"all"}`, 500},
	}
	for _, test := range tests {
		if got := see(t, server.Client(), request(t, server, test.path, test.body)).Status; got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}
