package exportapi_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/schema"
)

// framings returns the ways in which a server may send a complete body.
func framings(t *testing.T) map[string]func(status int, kind, body string) *exportapi.Client {
	t.Helper()
	// compressing and flushing make net/http choose the framing.
	start := func(http2, length, zip bool) func(int, string, string) *exportapi.Client {
		return func(status int, kind, body string) *exportapi.Client {
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				w.Header()["Content-Type"] = nil
				if kind != "" {
					w.Header().Set("Content-Type", kind)
				}
				sent := []byte(body)
				if zip {
					w.Header().Set("Content-Encoding", "gzip")
					sent = zipped(body)
				}
				if length {
					w.Header().Set("Content-Length", fmt.Sprint(len(sent)))
				}
				w.WriteHeader(status)
				if !length {
					w.(http.Flusher).Flush()
				}
				w.Write(sent)
			}))
			if http2 {
				s.EnableHTTP2 = true
				s.StartTLS()
			} else {
				s.Start()
			}
			t.Cleanup(s.Close)
			c := client(s.URL)
			transport := exportapi.NewTransport()
			transport.TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig
			t.Cleanup(transport.CloseIdleConnections)
			c.Transport = transport
			return c
		}
	}
	return map[string]func(int, string, string) *exportapi.Client{
		"chunked": start(false, false, false), "length": start(false, true, false), "gzip": start(false, false, true),
		"http2": start(true, false, false), "http2 gzip": start(true, true, true),
	}
}

// zippers are reused: each takes most of a mebibyte.
var zippers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

func zipped(body string) []byte {
	var b bytes.Buffer
	z := zippers.Get().(*gzip.Writer)
	defer zippers.Put(z)
	z.Reset(&b)
	io.WriteString(z, body)
	z.Close()
	return b.Bytes()
}

// TestRecognise: how answers are classified.
func TestRecognise(t *testing.T) {
	type failure struct {
		Code            schema.Code
		Class           schema.Class
		Origin          schema.Origin
		Status          int
		Result, Message string
		Body            string
		Rows            int64
	}
	const (
		csv       = "text/csv"
		jsonType  = "application/json"
		queryFail = `{"result":"fail","message":"query_error"}`
	)
	query := &failure{schema.QueryError, schema.Outage, schema.OriginAPI, 200, "fail", "query_error", queryFail, 0}
	queryAfter := func(rows int64) *failure { f := *query; f.Rows = rows; return &f }
	torn := func(line string, rows int64) *failure {
		return &failure{schema.MaybeTorn, schema.Truncated, schema.OriginTransport, 200, "", "the last line has no newline", line, rows}
	}
	tooFew := func(line string, rows int64) *failure {
		return &failure{schema.MaybeTorn, schema.Truncated, schema.OriginCSV, 200, "", "the last line has too few fields", line, rows}
	}
	open := func(behind string, rows int64) *failure {
		return &failure{schema.OpenQuote, schema.Truncated, schema.OriginCSV, 200, "", "a quote is not closed", behind, rows}
	}
	notCSV := func(status int, message, body string) *failure {
		return &failure{Code: schema.NotCSV, Origin: schema.OriginTransport, Status: status, Message: message, Body: body}
	}
	badHeader := func(message, header string) *failure {
		return &failure{Code: schema.BadHeader, Class: schema.Refused, Origin: schema.OriginCSV, Status: 200, Message: message, Body: header}
	}
	for _, c := range []struct {
		name    string
		status  int
		kind    string
		body    string
		columns []string // nil: "id", "v", unless there is a failure and no row
		rows    []string
		bad     []schema.Code
		failure *failure
	}{
		{name: "rows", kind: csv, body: "id,v\n1,2\n3,4\n", rows: []string{"1,2", "3,4"}},
		{name: "rows without a type", body: "id,v\n1,2\n", rows: []string{"1,2"}},
		{name: "header and no rows", kind: csv, body: "id,v\n", rows: nil},
		{name: "byte order mark and CRLF", body: "\ufeffid,v\r\n1,\"2\r\n\"\r\n", rows: []string{"1,\"2\r\n\""}},
		{name: "bad rows between good ones", body: "id,v\n1\n1,2\n1,\"2\"3\n\xff,4\n5,6\n", rows: []string{"1,2", "5,6"}, bad: []schema.Code{schema.FieldCount, schema.BadQuotes, schema.InvalidUTF8}},
		{name: "too large", body: "id,v\n" + strings.Repeat("x", 2000) + ",2\n5,6\n", rows: []string{"5,6"}, bad: []schema.Code{schema.TooLarge}},
		{name: "a cell that ends with a brace", body: "id,v\n1,{\n3,4\n", rows: []string{"1,{", "3,4"}},
		{name: "a cell of JSON", body: "id,v\n1,\"{\"\"result\"\":\"\"fail\"\"}\"\n", rows: []string{`1,"{""result"":""fail""}"`}},

		{name: "failure with 200", body: queryFail, failure: query},
		{name: "failure as text", kind: csv, body: " \n" + queryFail + "\n", failure: &failure{schema.QueryError, schema.Outage, schema.OriginAPI, 200, "fail", "query_error", " \n" + queryFail + "\n", 0}},
		{name: "failure with a mark and other spacing", kind: jsonType, body: "\ufeff{\n  \"message\" : \"query_error\", \"more\": [1],\r\n \"result\":\"fail\"}",
			failure: &failure{schema.QueryError, schema.Outage, schema.OriginAPI, 200, "fail", "query_error", "\ufeff{\n  \"message\" : \"query_error\", \"more\": [1],\r\n \"result\":\"fail\"}", 0}},
		{name: "closed with 200", kind: jsonType, body: `{"result":"fail","message":"client_connection_closed"}`,
			failure: &failure{schema.ClientConnectionClosed, schema.Trouble, schema.OriginAPI, 200, "fail", "client_connection_closed", `{"result":"fail","message":"client_connection_closed"}`, 0}},
		{name: "invalid parameter", status: 400, kind: jsonType, body: `{"result":"fail","message":"invalid_parameter"}`,
			failure: &failure{schema.InvalidParameter, schema.Refused, schema.OriginAPI, 400, "fail", "invalid_parameter", `{"result":"fail","message":"invalid_parameter"}`, 0}},
		{name: "out of reach", status: 400, kind: jsonType, body: `{"result":"fail","message":"exceed_date_range_limit"}`,
			failure: &failure{schema.ExceedDateRangeLimit, schema.OutOfReach, schema.OriginAPI, 400, "fail", "exceed_date_range_limit", `{"result":"fail","message":"exceed_date_range_limit"}`, 0}},
		{name: "unauthorized", status: 401, kind: jsonType, body: `{"result":"fail","message":"unauthorized_token"}`,
			failure: &failure{schema.UnauthorizedToken, schema.Unauthorized, schema.OriginAPI, 401, "fail", "unauthorized_token", `{"result":"fail","message":"unauthorized_token"}`, 0}},
		{name: "unknown error", status: 500, kind: "text/plain", body: `{"result":"fail","message":"unknown_error"}`,
			failure: &failure{schema.UnknownError, schema.Outage, schema.OriginAPI, 500, "fail", "unknown_error", `{"result":"fail","message":"unknown_error"}`, 0}},
		{name: "another status than documented", status: 503, body: `{"result":"fail","message":"query_error"}`,
			failure: &failure{schema.QueryError, schema.Outage, schema.OriginAPI, 503, "fail", "query_error", queryFail, 0}},
		{name: "an unknown message", status: 500, body: `{"result":"fail","message":"weird"}`,
			failure: &failure{"http_500", schema.Trouble, schema.OriginAPI, 500, "fail", "weird", `{"result":"fail","message":"weird"}`, 0}},
		{name: "an unknown message with 200", body: `{"result":"fail","message":"weird"}`,
			failure: &failure{schema.NotCSV, schema.Trouble, schema.OriginAPI, 200, "fail", "weird", `{"result":"fail","message":"weird"}`, 0}},
		{name: "other JSON", status: 502, kind: "application/problem+json", body: `{"title":"bad gateway"}`,
			failure: &failure{Code: "http_502", Origin: schema.OriginTransport, Status: 502, Message: "502 Bad Gateway", Body: `{"title":"bad gateway"}`}},
		{name: "rows that claim to be JSON", kind: jsonType, body: "id,v\n1,2\n", rows: []string{"1,2"}},
		{name: "rows that claim to be HTML", kind: "text/html; charset=utf-8", body: "\r\n\"id\",v\r\n1,2\r\n", rows: []string{"1,2"}},
		{name: "rows that claim to be bytes", kind: "application/octet-stream", body: "id,v\n1,2\n", rows: []string{"1,2"}},
		{name: "other text that claims to be JSON", kind: jsonType, body: "v,w\n1,2\n", failure: notCSV(200, "200 OK", "v,w\n1,2\n")},
		{name: "a list of JSON", kind: jsonType, body: "[\"id\",1]\n", failure: notCSV(200, "200 OK", "[\"id\",1]\n")},
		{name: "HTML", kind: "text/html; charset=utf-8", body: "busy", failure: notCSV(200, "200 OK", "busy")},
		{name: "HTML without a type", body: "\n<!doctype html>", failure: notCSV(200, "200 OK", "\n<!doctype html>")},
		{name: "HTML with 502", status: 502, kind: "text/html", body: "<h1>502</h1>", failure: notCSV(502, "502 Bad Gateway", "<h1>502</h1>")},
		{name: "a failure that claims to be HTML", status: 500, kind: "text/html", body: queryFail,
			failure: &failure{schema.QueryError, schema.Outage, schema.OriginAPI, 500, "fail", "query_error", queryFail, 0}},
		{name: "no text", body: "\x00\x01", failure: &failure{Code: schema.NotCSV, Origin: schema.OriginTransport, Status: 200, Body: "\x00\x01"}},
		{name: "empty", failure: &failure{Code: schema.EmptyBody, Origin: schema.OriginTransport, Status: 200}},
		{name: "empty JSON", kind: jsonType, failure: &failure{Code: schema.EmptyBody, Origin: schema.OriginTransport, Status: 200, Message: "200 OK"}},
		{name: "white space", body: " \r\n\n", failure: &failure{Code: schema.EmptyBody, Origin: schema.OriginTransport, Status: 200}},
		{name: "empty 502", status: 502, failure: &failure{Code: "http_502", Origin: schema.OriginTransport, Status: 502, Message: "502 Bad Gateway"}},
		{name: "empty 429", status: 429, failure: &failure{Code: "http_429", Class: schema.Throttled, Origin: schema.OriginTransport, Status: 429, Message: "429 Too Many Requests"}},
		{name: "rows with 500", status: 500, kind: csv, body: "id,v\n1,2\n", failure: &failure{Code: "http_500", Origin: schema.OriginTransport, Status: 500, Message: "500 Internal Server Error", Body: "id,v\n1,2\n"}},
		{name: "rows with 206", status: 206, kind: csv, body: "id,v\n1,2\n", failure: &failure{Code: "http_206", Origin: schema.OriginTransport, Status: 206, Message: "206 Partial Content", Body: "id,v\n1,2\n"}},
		{name: "404", status: 404, kind: "text/plain", body: "no such page", failure: &failure{Code: "http_404", Class: schema.Refused, Origin: schema.OriginTransport, Status: 404, Message: "404 Not Found", Body: "no such page"}},

		{name: "no key column", body: "a,b\n1,2\n", failure: badHeader(`the header line has no column "id", the stream's key`, "a,b")},
		{name: "doubled column", body: "id,b,b\n", failure: badHeader(`the header line is wrong: column "b" occurs twice`, "id,b,b")},
		{name: "empty column", body: "id,,b\n", failure: badHeader(`the header line is wrong: column 2 has no name`, "id,,b")},
		{name: "broken header", body: "id,b\"\n1,2\n", failure: badHeader("the header line can't be read: line 1: the quotes are wrong at byte 5 of the row", `id,b"`)},

		{name: "no newline at the end", body: "id,v\n1,2\n3,4", rows: []string{"1,2"}, failure: torn("3,4", 1)},
		{name: "torn in a row", body: "id,v\n1,2\n3", rows: []string{"1,2"}, failure: torn("3", 1)},
		{name: "torn in a quoted cell", body: "id,v\n1,2\n3,\"4\n5", rows: []string{"1,2"}, failure: open("3,\"4\n5", 1)},
		{name: "torn in a quoted cell, behind a line", body: "id,v\n1,2\n3,\"4\n5,6\n", rows: []string{"1,2"}, failure: open("3,\"4\n5,6\n", 1)},
		{name: "torn in a quoted header", body: "id,\"v\n1,2\n", failure: open("id,\"v\n1,2\n", 0)},
		{name: "a quote closed later, wrongly", body: "id,v\n1,\"2\n3,4\n5,\"6\"\n", rows: []string{"3,4", `5,"6"`}, bad: []schema.Code{schema.BadQuotes}},
		{name: "a text behind rows", kind: csv, body: "id,v\n1,2\nthe query was ended\n", rows: []string{"1,2"}, failure: tooFew("the query was ended", 1)},
		{name: "a text behind the header", kind: csv, body: "id,v\nthe query was ended\r\n\n", columns: []string{"id", "v"}, failure: tooFew("the query was ended", 0)},
		{name: "a text of more lines behind rows", body: "id,v\n1,2\nfailed:\nthe query was ended\n", rows: []string{"1,2"}, bad: []schema.Code{schema.FieldCount}, failure: tooFew("the query was ended", 1)},
		{name: "a text with quotes behind rows", body: "id,v\n1,2\nnear \"x\": syntax\n", rows: []string{"1,2"}, failure: tooFew(`near "x": syntax`, 1)},
		{name: "a text between rows", body: "id,v\n1,2\nslow\n3,4\n", rows: []string{"1,2", "3,4"}, bad: []schema.Code{schema.FieldCount}},
		{name: "CR alone", kind: csv, body: "id,v\r1,2\r3,4\r", failure: badHeader("the header line ends in CR alone; lines must end in LF or CRLF", "")},
		{name: "CR CR LF", kind: csv, body: "id,v\r\r\n1,2\r\r\n", failure: badHeader("the header line ends in CR CR LF; lines must end in LF or CRLF", "")},
		{name: "LF CR", kind: csv, body: "id,v\n\r1,2\n\r3,4\n\r", columns: []string{"id", "v"}, failure: badHeader("the header line is followed by a line that begins with CR, "+
			"so lines seem to end in LF CR; they must end in LF or CRLF", "id,v")},
		{name: "a control character in a name", body: "id,v\u20281,2", failure: badHeader("the header line has the control character U+2028 in the name of column 2; no line end was found", "id,v\u20281,2")},
		{name: "the header again", body: "id,v\n1,2\nid,v\n\ufeffid,v\n3,4\n", rows: []string{"1,2", "3,4"}},
		{name: "torn in the header", body: "id,v", failure: torn("id,v", 0)},
		{name: "torn before the key", body: "v,i", failure: torn("v,i", 0)},

		{name: "failure behind rows", body: "id,v\n1,2\n" + queryFail + "\n", rows: []string{"1,2"}, failure: queryAfter(1)},
		{name: "failure behind rows, no newline", body: "id,v\n1,2\n" + queryFail, rows: []string{"1,2"}, failure: queryAfter(1)},
		{name: "failure behind the header", body: "id,v\r\n" + queryFail + "\r\n", rows: nil, columns: []string{"id", "v"}, failure: queryAfter(0)},
		{name: "failure glued to a row", body: "id,v\n1,2\n3,4" + queryFail, rows: []string{"1,2"}, failure: queryAfter(1)},
		{name: "failure glued to a quoted cell", body: "id,v\n1,2\n3,\"4" + queryFail + "\n", rows: []string{"1,2"}, failure: queryAfter(1)},
		{name: "failure glued to a quoted cell of two lines", body: "id,v\n1,2\n3,\"4\n5" + queryFail + "\n", rows: []string{"1,2"}, failure: queryAfter(1)},
		{name: "failure glued to an opening quote", body: "id,v\n1,2\n3,\"" + queryFail, rows: []string{"1,2"}, failure: queryAfter(1)},
		{name: "failure glued to a brace", body: "id,v\n1,2\n3,{{\n" + queryFail[1:] + "\n", rows: []string{"1,2"},
			failure: &failure{schema.QueryError, schema.Outage, schema.OriginAPI, 200, "fail", "query_error", "{\n" + queryFail[1:], 1}},
		{name: "failure of more lines", body: "id,v\n1,2\n{\n \"result\": \"fail\",\n \"message\": \"query_error\"\n}\n", rows: []string{"1,2"},
			failure: &failure{schema.QueryError, schema.Outage, schema.OriginAPI, 200, "fail", "query_error", "{\n \"result\": \"fail\",\n \"message\": \"query_error\"\n}", 1}},
		{name: "unknown failure behind rows", body: "id,v\n1,2\n{\"result\":\"fail\",\"message\":\"weird\"}\n", rows: []string{"1,2"},
			failure: &failure{schema.CutBody, schema.Trouble, schema.OriginAPI, 200, "fail", "weird", `{"result":"fail","message":"weird"}`, 1}},
		{name: "JSON of another kind behind rows", body: "id,v\n1,2\n{\"result\":\"good\"}\n", rows: []string{"1,2"}, failure: tooFew(`{"result":"good"}`, 1)},
		{name: "a failure that rows follow", body: "id,v\n1,2\n" + queryFail + "\n3,4\n", rows: []string{"1,2", "3,4"}, bad: []schema.Code{schema.BadQuotes}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.status == 0 {
				c.status = 200
			}
			want := outcome{Rows: c.rows, Bad: c.bad}
			if c.failure == nil || c.columns != nil || len(c.rows) > 0 {
				want.Columns = []string{"id", "v"}
			}
			for name, framing := range framings(t) {
				api := framing(c.status, c.kind, c.body)
				api.MaxRow = 1000
				got := run(t, api, export(t))
				var f *failure
				if g := got.Failure; g != nil {
					f = &failure{g.Code, g.Class, g.Origin, g.Status, g.Result, g.Message, string(g.Body), g.Request.Rows}
				}
				got.Failure = nil
				if diff := cmp.Diff(c.failure, f); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
		})
	}
}
