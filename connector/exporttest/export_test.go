package exporttest_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"

	"github.com/google/go-cmp/cmp"
)

func TestExportIsExactlyWhatIsExpected(t *testing.T) {
	odd := exporttest.Data{Seed: 7, RowsPerDay: 600, Odd: 0.5, Duplicates: 0.1, Shuffle: true}
	tests := []struct {
		name       string
		server     *exporttest.Server
		path, body string
	}{
		{name: "a plain day", server: &exporttest.Server{}},
		{name: "awkward values", server: &exporttest.Server{Data: odd}},
		{name: "every cell quoted", server: &exporttest.Server{Data: odd, Format: exporttest.Format{QuoteAll: true}}},
		{name: "BOM and CRLF", server: &exporttest.Server{Data: odd, Format: exporttest.Format{BOM: true, CRLF: true}}},
		{name: "Content-Length", server: &exporttest.Server{Data: odd, Framing: exporttest.Framing{ContentLength: true}}},
		{name: "flushed in small pieces", server: &exporttest.Server{Data: odd, Framing: exporttest.Framing{FlushEvery: 1000}}},
		{name: "gzip", server: &exporttest.Server{Data: odd, Framing: exporttest.Framing{Gzip: true}}},
		{name: "wide", server: &exporttest.Server{Data: exporttest.Data{Columns: 70}}},
		{name: "no rows", server: &exporttest.Server{Data: exporttest.Data{RowsOn: func(schema.Day) int { return 0 }}}},
		{
			name: "two days of some events", server: &exporttest.Server{Data: odd},
			body: `{"events_condition_type":"include","events":["df_login","df_purchase"],"from_date":"2026-11-21","to_date":"2026-11-22"}`,
		},
		{
			name: "some properties", server: &exporttest.Server{Data: odd},
			body: `{"events_condition_type":"exclude","events":["df_login"],"properties_condition_type":"include","properties":["df_discount","df_items_df_price","none_such"],"from_date":"2026-11-22","to_date":"2026-11-22"}`,
		},
		{name: "profiles", server: &exporttest.Server{Data: odd}, path: profilePath, body: `{"properties_condition_type":"all"}`},
		{
			name: "profiles of an audience", server: &exporttest.Server{Data: odd}, path: profilePath,
			body: `{"properties_condition_type":"exclude","properties":["df_email","df_unified_id"],"audience":"vip"}`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.path == "" {
				test.path = eventPath
			}
			if test.body == "" {
				test.body = ofDay(yesterday)
			}
			text := exportOK(t, start(t, test.server), test.path, test.body)
			call := test.server.Calls()[0]
			want := test.server.Expected(call)
			if diff := cmp.Diff(asParsed(want), parse(t, text), rowByRow); diff != "" {
				t.Errorf("(-want +got)\n%.2000s", diff)
			}
			if !call.Whole || call.Rows != int64(len(want.Rows)) || call.Bytes != int64(len(text)) {
				t.Errorf("the call has whole %t, %d rows, %d bytes; the CSV has %d rows, %d bytes", call.Whole, call.Rows, call.Bytes, len(want.Rows), len(text))
			}
		})
	}
}

func TestFilters(t *testing.T) {
	system := []string{"df_unified_id", "event_name", "df_api_version", "df_server_datetime", "df_correction_datetime", "event_log_id"}
	var d exporttest.Data
	q := exporttest.Query{Kind: schema.Event, From: day(t, yesterday), To: day(t, yesterday)}

	q.Filter = schema.Filter{Events: []string{"df_login"}, Properties: []string{"df_discount"}}
	some := d.Export(q)
	if diff := cmp.Diff(append(system[:6:6], "df_discount"), some.Columns); diff != "" {
		t.Errorf("columns (-want +got)\n%s", diff)
	}
	q.Filter = schema.Filter{ExcludeEvents: []string{"df_login"}, ExcludeProperties: append([]string{"memo"}, system...)}
	others := d.Export(q)
	q.Filter = schema.Filter{}
	all := d.Export(q)
	if want := all.Columns[:len(all.Columns)-1]; !cmp.Equal(want, others.Columns) {
		t.Errorf("columns (-want +got)\n%s", cmp.Diff(want, others.Columns))
	}
	names := make(map[string]int)
	for _, cells := range some.Rows {
		names[cells[1]]++
	}
	if len(names) != 1 || names["df_login"] == 0 {
		t.Errorf("events included: %v", names)
	}
	for _, cells := range others.Rows {
		if cells[1] == "df_login" {
			t.Fatalf("excluded event exported: %q", cells)
		}
	}
	if len(some.Rows)+len(others.Rows) != len(all.Rows) {
		t.Errorf("%d rows of the event and %d of the others; all are %d", len(some.Rows), len(others.Rows), len(all.Rows))
	}
}

func TestFraming(t *testing.T) {
	tests := []struct {
		name     string
		framing  exporttest.Framing
		accept   string
		chunked  bool
		encoding string
	}{
		{name: "chunked", chunked: true},
		{name: "content length", framing: exporttest.Framing{ContentLength: true}},
		{name: "gzip accepted", framing: exporttest.Framing{Gzip: true}, accept: "gzip, deflate", chunked: true, encoding: "gzip"},
		{name: "gzip not accepted", framing: exporttest.Framing{Gzip: true}, accept: "identity", chunked: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := &exporttest.Server{Data: exporttest.Data{RowsPerDay: 500}, Framing: test.framing}
			server := start(t, s)
			r := request(t, server, eventPath, ofDay(yesterday))
			r.Header.Set("Accept-Encoding", test.accept) // so that the transport does not decompress the body
			answer, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			raw, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			if chunked := len(answer.TransferEncoding) == 1 && answer.TransferEncoding[0] == "chunked"; chunked != test.chunked {
				t.Errorf("transfer encoding %v", answer.TransferEncoding)
			}
			if !test.chunked && answer.ContentLength != int64(len(raw)) {
				t.Errorf("content length %d of %d bytes", answer.ContentLength, len(raw))
			}
			if got := answer.Header.Get("Content-Encoding"); got != test.encoding {
				t.Errorf("content encoding %q", got)
			}
			if test.encoding == "gzip" {
				raw = unzip(t, raw)
			}
			if diff := cmp.Diff(s.Expected(s.Calls()[0]), parse(t, raw), rowByRow); diff != "" {
				t.Errorf("(-want +got)\n%.2000s", diff)
			}
		})
	}
}

func unzip(t *testing.T, raw []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestCallsAreRecorded(t *testing.T) {
	s := &exporttest.Server{Data: exporttest.Data{RowsPerDay: 3}}
	server := start(t, s)
	exportOK(t, server, eventPath, ofDay(yesterday))
	exportOK(t, server, eventPath, ofDay(yesterday))
	if _, text, err := export(t, server, eventPath, ofDay("2026-01-01")); err != nil || !strings.Contains(string(text), "exceed_date_range_limit") {
		t.Fatalf("%q, %v", text, err)
	}
	d := day(t, yesterday)
	want := []exporttest.Call{
		{N: 1, Query: exporttest.Query{Kind: schema.Event, From: d, To: d, Export: 1, Now: noon}, Status: 200, Rows: 3, Whole: true, Body: ofDay(yesterday)},
		{N: 2, Query: exporttest.Query{Kind: schema.Event, From: d, To: d, Export: 2, Now: noon}, Status: 200, Rows: 3, Whole: true, Body: ofDay(yesterday)},
		{N: 3, Status: 400, Code: schema.ExceedDateRangeLimit, Body: ofDay("2026-01-01")},
	}
	for i := range want {
		want[i].At, want[i].Ended, want[i].Kind = noon, noon, schema.Event
	}
	got := s.Calls()
	for i := range got {
		if _, ok := got[i].Header[http.CanonicalHeaderKey("Authorization")]; ok || got[i].Header.Get("Content-Type") == "" {
			t.Errorf("header %v", got[i].Header)
		}
		got[i].Header, got[i].Bytes = nil, 0
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
