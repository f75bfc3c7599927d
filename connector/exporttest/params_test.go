package exporttest_test

import (
	"net/http"
	"testing"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"

	"github.com/google/go-cmp/cmp"
)

func TestCallsAreRefused(t *testing.T) {
	const (
		bad          = `{"result":"fail","message":"invalid_parameter"}`
		outside      = `{"result":"fail","message":"exceed_date_range_limit"}`
		unauthorized = `{"result":"fail","message":"unauthorized_token"}`
	)
	tests := []struct {
		name   string
		change func(*http.Request)
		path   string
		body   string
		status int
		want   string
	}{
		{name: "not JSON", body: `{`, status: 400, want: bad},
		{name: "two values", body: ofDay(yesterday) + `{}`, status: 400, want: bad},
		{name: "an unknown member", body: `{"events_condition_type":"all","from_date":"2026-11-22","to_date":"2026-11-22","limit":1}`, status: 400, want: bad},
		{name: "no condition", body: `{"from_date":"2026-11-22","to_date":"2026-11-22"}`, status: 400, want: bad},
		{name: "an unknown condition", body: `{"events_condition_type":"some","from_date":"2026-11-22","to_date":"2026-11-22"}`, status: 400, want: bad},
		{name: "include nothing", body: `{"events_condition_type":"include","from_date":"2026-11-22","to_date":"2026-11-22"}`, status: 400, want: bad},
		{name: "all, with a list", body: `{"events_condition_type":"all","events":["a"],"from_date":"2026-11-22","to_date":"2026-11-22"}`, status: 400, want: bad},
		{name: "a list without its condition", body: `{"events_condition_type":"all","properties":["a"],"from_date":"2026-11-22","to_date":"2026-11-22"}`, status: 400, want: bad},
		{name: "no to_date", body: `{"events_condition_type":"all","from_date":"2026-11-22"}`, status: 400, want: bad},
		{name: "another form of date", body: `{"events_condition_type":"all","from_date":"2026/11/22","to_date":"2026/11/22"}`, status: 400, want: bad},
		{name: "to_date before from_date", body: `{"events_condition_type":"all","from_date":"2026-11-22","to_date":"2026-11-21"}`, status: 400, want: bad},
		{name: "an audience of events", body: `{"events_condition_type":"all","audience":"a","from_date":"2026-11-22","to_date":"2026-11-22"}`, status: 400, want: bad},
		{name: "31 days back", body: ofDay("2026-10-23"), status: 400, want: outside},
		{name: "tomorrow", body: ofDay("2026-11-24"), status: 400, want: outside},
		{name: "profiles without condition", path: profilePath, body: `{}`, status: 400, want: bad},
		{name: "profiles with dates", path: profilePath, body: `{"properties_condition_type":"all","from_date":"2026-11-22","to_date":"2026-11-22"}`, status: 400, want: bad},
		{name: "profiles of an empty audience", path: profilePath, body: `{"properties_condition_type":"all","audience":""}`, status: 400, want: bad},
		{name: "another content type", change: func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, status: 400, want: bad},
		{name: "no service", path: "/api/v1/export/event", status: 400, want: bad},
		{name: "another service", path: "/api/v1/export/event?service_id=99", status: 401, want: unauthorized},
		{name: "no token", change: func(r *http.Request) { r.Header.Del("Authorization") }, status: 401, want: unauthorized},
		{name: "another token", change: func(r *http.Request) { r.Header.Set("Authorization", "Bearer export-token2") }, status: 401, want: unauthorized},
		{name: "GET", change: func(r *http.Request) { r.Method = http.MethodGet }, status: 405, want: "Method Not Allowed\n"},
		{name: "another path", path: "/api/v1/export/events?service_id=1234", status: 404, want: "404 page not found\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.path == "" {
				test.path = eventPath
			}
			if test.body == "" {
				test.body = ofDay(yesterday)
			}
			r := request(t, start(t, &exporttest.Server{}), test.path, test.body)
			if test.change != nil {
				test.change(r)
			}
			got := see(t, http.DefaultClient, r)
			want := seen{Status: test.status, Body: test.want, Type: "application/json"}
			if test.status == 404 || test.status == 405 {
				want.Type = "text/plain; charset=utf-8"
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestDays(t *testing.T) {
	d := day(t, yesterday)
	tests := []struct {
		name     string
		server   *exporttest.Server
		from, to string
		want     exporttest.Query
		code     schema.Code
	}{
		{name: "today", server: &exporttest.Server{}, from: "2026-11-23", to: "2026-11-23", want: exporttest.Query{From: d + 1, To: d + 1, Export: 1}},
		{name: "today is refused", server: &exporttest.Server{RefuseToday: true}, from: "2026-11-23", to: "2026-11-23", code: schema.ExceedDateRangeLimit},
		{name: "yesterday, if today is refused", server: &exporttest.Server{RefuseToday: true}, from: yesterday, to: "2026-11-23", want: exporttest.Query{From: d, To: d + 1, Export: 1}},
		{name: "30 days back", server: &exporttest.Server{}, from: "2026-10-24", to: "2026-10-24", want: exporttest.Query{From: d - 29, To: d - 29, Export: 1}},
		{name: "a shorter reach", server: &exporttest.Server{Reach: 7}, from: "2026-11-15", to: "2026-11-15", code: schema.ExceedDateRangeLimit},
		{name: "exclusive", server: &exporttest.Server{ToDateExclusive: true}, from: yesterday, to: "2026-11-23", want: exporttest.Query{From: d, To: d, Export: 1}},
		{name: "exclusive and equal: no day", server: &exporttest.Server{ToDateExclusive: true}, from: yesterday, to: yesterday, want: exporttest.Query{From: d, To: d - 1, Export: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.server.Data.RowsPerDay = 5
			body := `{"events_condition_type":"all","from_date":"` + test.from + `","to_date":"` + test.to + `"}`
			_, text, err := export(t, start(t, test.server), eventPath, body)
			if err != nil {
				t.Fatal(err)
			}
			call := test.server.Calls()[0]
			if test.code != "" {
				if call.Code != test.code {
					t.Errorf("code %q, want %q", call.Code, test.code)
				}
				return
			}
			test.want.Kind, test.want.Now = schema.Event, noon
			if diff := cmp.Diff(test.want, call.Query); diff != "" {
				t.Errorf("query (-want +got)\n%s", diff)
			}
			want := exporttest.Data{RowsPerDay: 5}.Export(test.want)
			if diff := cmp.Diff(want.Records(), parse(t, text).Records()); diff != "" {
				t.Errorf("rows (-want +got)\n%s", diff)
			}
		})
	}
}

func TestTokenRotates(t *testing.T) {
	s := &exporttest.Server{Token: "first", Data: exporttest.Data{RowsPerDay: 1}}
	server := start(t, s)
	status := func(token string) int {
		r := request(t, server, eventPath, ofDay(yesterday))
		r.Header.Set("Authorization", "Bearer "+token)
		return see(t, server.Client(), r).Status
	}
	got := []int{status("first"), status("second")}
	s.SetToken("second")
	got = append(got, status("first"), status("second"))
	if want := []int{200, 401, 401, 200}; !cmp.Equal(want, got) {
		t.Errorf("statuses %v, want %v", got, want)
	}
}
