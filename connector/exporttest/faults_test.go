package exporttest_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"

	"github.com/google/go-cmp/cmp"
)

const (
	csvType  = "text/csv; charset=utf-8"
	jsonType = "application/json"
)

// clean returns yesterday's CSV of 300 rows without faults, which is written in several blocks.
func clean(t *testing.T) string {
	t.Helper()
	return string(exportOK(t, start(t, &exporttest.Server{Data: exporttest.Data{RowsPerDay: 300}}), eventPath, ofDay(yesterday)))
}

// after returns the offset after the header and n rows.
func after(text string, n int) int {
	at := 0
	for range n + 1 {
		at += strings.IndexByte(text[at:], '\n') + 1
	}
	return at
}

func TestAnswersInPlaceOfTheExport(t *testing.T) {
	const failed = `{"result":"fail","message":"`
	tests := []struct {
		name  string
		fault exporttest.Fault
		want  seen
	}{
		{"unknown_error", exporttest.Fault{Code: schema.UnknownError}, seen{500, jsonType, failed + `unknown_error"}`, nil}},
		{"query_error", exporttest.Fault{Code: schema.QueryError}, seen{500, jsonType, failed + `query_error"}`, nil}},
		{"client_connection_closed", exporttest.Fault{Code: schema.ClientConnectionClosed}, seen{200, jsonType, failed + `client_connection_closed"}`, nil}},
		{"invalid_parameter", exporttest.Fault{Code: schema.InvalidParameter}, seen{400, jsonType, failed + `invalid_parameter"}`, nil}},
		{"exceed_date_range_limit", exporttest.Fault{Code: schema.ExceedDateRangeLimit}, seen{400, jsonType, failed + `exceed_date_range_limit"}`, nil}},
		{"unauthorized_token", exporttest.Fault{Code: schema.UnauthorizedToken}, seen{401, jsonType, failed + `unauthorized_token"}`, nil}},
		{"too_many_api_requests", exporttest.Fault{Code: schema.TooManyAPIRequests}, seen{429, jsonType, failed + `too_many_api_requests"}`, nil}},
		{"a code of no list", exporttest.Fault{Code: "maintenance"}, seen{500, jsonType, failed + `maintenance"}`, nil}},
		{"JSON under another status and type", exporttest.Fault{Code: schema.QueryError, Status: 200, ContentType: csvType}, seen{200, csvType, failed + `query_error"}`, nil}},
		{"the token in the JSON", exporttest.Fault{Code: schema.UnauthorizedToken, EchoToken: true},
			seen{401, jsonType, failed + `unauthorized_token","authorization":"Bearer export-token"}`, nil}},
		{"HTML of a proxy", exporttest.Fault{Page: "<html>bad gateway</html>", Status: 502}, seen{502, "text/html; charset=utf-8", "<html>bad gateway</html>", nil}},
		{"HTML under 200 as CSV", exporttest.Fault{Page: "<html>", ContentType: csvType}, seen{200, csvType, "<html>", nil}},
		{"an empty body", exporttest.Fault{Empty: true}, seen{200, csvType, "", nil}},
		{"a status alone", exporttest.Fault{Status: 503}, seen{503, "", "", nil}},
		{"a redirect", exporttest.Fault{Redirect: "https://login.example.com/"}, seen{307, "", "", nil}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := &exporttest.Server{}
			s.Inject(test.fault)
			server := start(t, s)
			client := server.Client()
			client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			if diff := cmp.Diff(test.want, see(t, client, request(t, server, eventPath, ofDay(yesterday))), cmp.Comparer(sameError)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			call := s.Calls()[0]
			if call.Status != test.want.Status || call.Code != test.fault.Code || !call.Injected || call.Whole {
				t.Errorf("the call's record: status %d, code %q, injected %t, whole %t", call.Status, call.Code, call.Injected, call.Whole)
			}
		})
	}
}

func sameError(a, b error) bool { return a == b }

func TestBreaks(t *testing.T) {
	text := clean(t)
	row := func(n int) int { return after(text, n) }
	const failure = `{"result":"fail","message":"query_error"}`
	tests := []struct {
		name    string
		fault   exporttest.Fault
		want    string
		chunked error // error of reading a chunked body
		length  error // error of reading a body with Content-Length
	}{
		{"before the header", exporttest.Fault{Then: exporttest.Close}, "", io.ErrUnexpectedEOF, io.ErrUnexpectedEOF},
		{"within the header", exporttest.Fault{Then: exporttest.Close, At: 10}, text[:10], io.ErrUnexpectedEOF, io.ErrUnexpectedEOF},
		{"within a row", exporttest.Fault{Then: exporttest.Close, AfterRow: 7, At: 50}, text[:row(7)+50], io.ErrUnexpectedEOF, io.ErrUnexpectedEOF},
		{"between rows", exporttest.Fault{Then: exporttest.Close, AfterRow: 7}, text[:row(7)], io.ErrUnexpectedEOF, io.ErrUnexpectedEOF},
		{"far behind the first block", exporttest.Fault{Then: exporttest.Close, At: 100_000}, text[:100_000], io.ErrUnexpectedEOF, io.ErrUnexpectedEOF},
		{"missing last chunk", exporttest.Fault{Then: exporttest.Close, At: exporttest.AtEnd}, text, io.ErrUnexpectedEOF, io.ErrUnexpectedEOF},
		{"after more rows than there are", exporttest.Fault{Then: exporttest.Close, AfterRow: 5000}, text, io.ErrUnexpectedEOF, io.ErrUnexpectedEOF},
		{"after the last row", exporttest.Fault{Then: exporttest.Close, AfterRow: 300, At: 1 << 62}, text, io.ErrUnexpectedEOF, io.ErrUnexpectedEOF},
		{"as if complete, in a row", exporttest.Fault{Then: exporttest.End, AfterRow: 299, At: 20}, text[:row(299)+20], nil, nil},
		{"as if complete, after a row", exporttest.Fault{Then: exporttest.End, AfterRow: 200}, text[:row(200)], nil, nil},
		{"failure on its own line", exporttest.Fault{Then: exporttest.Fail, AfterRow: 200}, text[:row(200)] + failure, nil, nil},
		{"failure glued to a torn row", exporttest.Fault{Then: exporttest.Fail, AfterRow: 3, At: 60}, text[:row(3)+60] + failure, nil, nil},
		{"another failure after all rows", exporttest.Fault{Then: exporttest.Fail, At: exporttest.AtEnd, Say: schema.UnknownError},
			text + `{"result":"fail","message":"unknown_error"}`, nil, nil},
		{"no line end", exporttest.Fault{NoFinal: true}, strings.TrimSuffix(text, "\n"), nil, nil},
		{"no line end, and cut", exporttest.Fault{NoFinal: true, Then: exporttest.Close, At: exporttest.AtEnd}, strings.TrimSuffix(text, "\n"), io.ErrUnexpectedEOF, io.ErrUnexpectedEOF},
	}
	for _, test := range tests {
		for framing, want := range map[exporttest.Framing]error{{}: test.chunked, {ContentLength: true}: test.length, {Gzip: true}: test.chunked} {
			t.Run(test.name, func(t *testing.T) {
				s := &exporttest.Server{Data: exporttest.Data{RowsPerDay: 300}, Framing: framing}
				s.Inject(test.fault)
				server := start(t, s)
				got := see(t, server.Client(), request(t, server, eventPath, ofDay(yesterday)))
				if diff := cmp.Diff(seen{200, csvType, test.want, want}, got, cmp.Comparer(sameError)); diff != "" {
					t.Errorf("%+v (-want +got)\n%.2000s", framing, diff)
				}
			})
		}
	}
}

// TestReset: after a reset the client may lack bytes, but never gets wrong ones.
func TestReset(t *testing.T) {
	text := clean(t)
	for name, framing := range map[string]exporttest.Framing{"chunked": {}, "content length": {ContentLength: true}, "gzip": {Gzip: true}} {
		t.Run(name, func(t *testing.T) {
			s := &exporttest.Server{Data: exporttest.Data{RowsPerDay: 300}, Framing: framing}
			s.Inject(exporttest.Fault{Then: exporttest.Reset, At: 5000})
			server := start(t, s)
			answer, err := server.Client().Do(request(t, server, eventPath, ofDay(yesterday)))
			var got []byte
			if err == nil { // the reset may arrive before the header
				got, err = io.ReadAll(answer.Body)
				answer.Body.Close()
			}
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("error %v", err)
			}
			if len(got) > 5000 || !strings.HasPrefix(text, string(got)) {
				t.Errorf("%d bytes: %.200q", len(got), got)
			}
		})
	}
}

func TestDrop(t *testing.T) {
	s := &exporttest.Server{}
	s.Inject(exporttest.Fault{Drop: true})
	server := start(t, s)
	answer, err := server.Client().Do(request(t, server, eventPath, ofDay(yesterday)))
	if err == nil {
		answer.Body.Close()
	}
	if !errors.Is(err, io.EOF) {
		t.Errorf("error %v, want EOF", err)
	}
	if got := len(s.Calls()); got != 1 {
		t.Errorf("%d calls", got)
	}
}

// TestSlowAnswers: the times at which the header and the complete body arrive.
func TestSlowAnswers(t *testing.T) {
	tests := []struct {
		name         string
		fault        exporttest.Fault
		header, body time.Duration
		cut          bool   // ends with the client's timeout of an hour
		want         string // the body; empty means the complete CSV
		bytes        int    // of it
	}{
		{name: "delay", fault: exporttest.Fault{Delay: 7 * time.Minute}, header: 7 * time.Minute, body: 7 * time.Minute, bytes: exporttest.AtEnd},
		{name: "delayed failure", fault: exporttest.Fault{Delay: time.Minute, Code: schema.QueryError}, header: time.Minute, body: time.Minute, want: `{"result":"fail","message":"query_error"}`, bytes: exporttest.AtEnd},
		{name: "drip", fault: exporttest.Fault{Drip: 400, DripEvery: time.Second}, body: 5 * time.Second, bytes: exporttest.AtEnd},
		{name: "stall", fault: exporttest.Fault{Then: exporttest.Stall, At: 1000}, body: time.Hour, cut: true, bytes: 1000},
		{name: "stall before the end", fault: exporttest.Fault{Then: exporttest.Stall, At: exporttest.AtEnd}, body: time.Hour, cut: true, bytes: exporttest.AtEnd},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &exporttest.Server{Data: exporttest.Data{RowsPerDay: 3}}
				s.Inject(test.fault)
				server := s.StartMemory()
				defer server.Close()
				server.Client().Timeout = time.Hour
				begin := time.Now()
				answer, err := today(t.Context(), server)
				if err != nil {
					t.Fatal(err)
				}
				header := time.Since(begin)
				got, err := io.ReadAll(answer.Body)
				answer.Body.Close()
				if body := time.Since(begin); header != test.header || body < test.body || body > test.body+time.Second || (err != nil) != test.cut {
					t.Errorf("header after %s, body after %s, error %v", header, body, err)
				}
				if test.want == "" {
					test.want = csvOf(s.Expected(s.Calls()[0]))
				}
				if diff := cmp.Diff(test.want[:min(len(test.want), test.bytes)], string(got)); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				synctest.Wait()
				if call := s.Calls()[0]; call.Ended.IsZero() {
					t.Error("the call has not ended")
				}
			})
		})
	}
}

// csvOf returns the CSV of a table whose cells need no quotes.
func csvOf(table exporttest.Table) string {
	var b strings.Builder
	for _, cells := range append([][]string{table.Columns}, table.Rows...) {
		b.WriteString(strings.Join(cells, ",") + "\n")
	}
	return b.String()
}
