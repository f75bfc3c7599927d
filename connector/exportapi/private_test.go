package exportapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/schema"
)

// keyed is a fake hash with a key.
type keyed struct{}

func (keyed) LineHash(line []byte) schema.Fingerprint {
	return schema.BadFingerprint(append([]byte("key"), line...))
}

const cell = "hidden-cell-4711"

func private(t *testing.T) schema.Export {
	e := export(t)
	e.Private = keyed{}
	return e
}

// TestPrivate_NothingOfAnswers: for a stream that hides cells, failures and the log contain
// nothing of the API's answers, but say what failed.
func TestPrivate_NothingOfAnswers(t *testing.T) {
	location := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://other.example/?q="+cell)
			w.WriteHeader(status)
		}
	}
	tests := map[string]struct {
		url    string
		code   schema.Code
		detail string
	}{
		"known message":       {serve(t, answer(500, "application/json", `{"result":"fail","message":"query_error","row":"`+cell+`"}`)), "query_error", `the API answered 500 Internal Server Error, "query_error"`},
		"unknown message":     {serve(t, answer(500, "application/json", `{"result":"fail","message":"bad row `+cell+`"}`)), "http_500", "the answer was 500 Internal Server Error"},
		"odd result":          {serve(t, answer(400, "application/json", `{"result":"`+cell+`","message":"invalid_parameter"}`)), "invalid_parameter", `"invalid_parameter"`},
		"page":                {serve(t, answer(502, "text/html", "<p>"+cell+"</p>")), "not_csv", "502 Bad Gateway"},
		"text":                {serve(t, answer(404, "text/plain", cell)), "http_404", "404 Not Found"},
		"redirect":            {serve(t, location(302)), "redirect", "the answer was 302 Found"},
		"header without key":  {serve(t, answer(200, "text/csv", cell+",x\n1,2\n")), "bad_header", `the header line has no column "id", the stream's key`},
		"header that is data": {serve(t, answer(200, "text/csv", "id,"+cell+",y,"+cell+"\n1,2,3,4\n")), "bad_header", "columns 2 and 4 have the same name"},
		"charset":             {serve(t, answer(200, "text/csv; charset="+cell, "id\n1\n")), "bad_encoding", "bad_encoding"},
		"coding": {serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", cell)
			_, _ = w.Write([]byte("\x01\x02"))
		})), "not_csv", "the answer is not text"},
		"no HTTP":                {rawServer(t, func() []byte { return []byte(cell + "\r\n\r\n") }), "connection", "connection"},
		"status line":            {rawServer(t, func() []byte { return []byte("HTTP/1.1 500 " + cell + "\r\nContent-Length: 0\r\n\r\n") }), "http_500", "500 Internal Server Error"},
		"odd header":             {rawServer(t, func() []byte { return []byte("HTTP/1.1 200 OK\r\n" + cell + "\r\n\r\n") }), "connection", "connection"},
		"failure behind rows":    {serve(t, answer(200, "text/csv", "id,v\n1,2\n{\"result\":\"fail\",\"message\":\""+cell+"\"}\n")), "cut_body", "cut_body"},
		"no newline":             {serve(t, answer(200, "text/csv", "id,v\n1,2\n2,"+cell)), "maybe_torn", "without a newline"},
		"open quote":             {serve(t, answer(200, "text/csv", "id,v\n1,2\n2,\""+cell)), "open_quote", "a quote is not closed"},
		"last line is too short": {serve(t, answer(200, "text/csv", "id,v\n1,2\n"+cell+"\n")), "maybe_torn", "fewer fields"},
		"cut": {rawServer(t, func() []byte {
			return []byte("HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 1000\r\n\r\nid,v\n1,2\n2," + cell)
		}), "cut_body", "the body was cut: unexpected EOF"},
		"refused": {closed(t), "connection", "connection refused"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			c := client(test.url)
			c.Log = slog.New(slog.NewTextHandler(&log, nil))
			f := run(t, c, private(t)).Failure
			if f == nil || f.Code != test.code || !strings.Contains(f.Detail, test.detail) {
				t.Fatalf("failure %+v", f)
			}
			letter, err := schema.ExportLetter(f, f.Date).JSON()
			if err != nil {
				t.Fatal(err)
			}
			told := printed(t, f) + string(letter) + log.String() + f.CutAt
			unkeyed := fmt.Sprintf("%x", schema.BadFingerprint([]byte("2,"+cell)))
			if strings.Contains(told, cell) || strings.Contains(told, unkeyed) {
				t.Errorf("a cell is shown: %s", told)
			}
		})
	}
}

// TestPrivate_KeepBody: with KeepBody the failure has a copy of the answer's body, but its
// message and error do not contain it.
func TestPrivate_KeepBody(t *testing.T) {
	e := private(t)
	e.KeepBody = true
	f := run(t, client(serve(t, answer(500, "text/plain", "sorry "+cell))), e).Failure
	if f == nil || string(f.Body) != "sorry "+cell || f.Redacted || strings.Contains(f.Error()+f.Message, cell) {
		t.Errorf("failure %+v", f)
	}
}

// TestPrivate_LineEnds: the hash that is kept of a last line has a key, so that it can't be
// compared with guesses, and proves line ends like other hashes.
func TestPrivate_LineEnds(t *testing.T) {
	last := "2," + cell
	body := "id,v\n1,2\n" + last
	learner := new(exportapi.LineEndLearner)
	c := client(serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(200, "text/csv", body)(w, r) })))
	c.LineEnds = learner
	for day := range schema.Day(3) {
		e := private(t)
		e.Day += day
		body = "id,v\n1,2\n" + last
		run(t, c, e)
		saved, err := json.Marshal(learner)
		if err != nil {
			t.Fatal(err)
		}
		var kept struct {
			Ends map[string]struct {
				Tail uint32
				Hash string
			}
		}
		if err := json.Unmarshal(saved, &kept); err != nil {
			t.Fatal(err)
		}
		for at, end := range kept.Ends {
			if end.Tail != 0 || end.Hash != fmt.Sprintf("%x", keyed{}.LineHash([]byte(last))) {
				t.Errorf("%s: kept %s", at, saved)
			}
		}
		body = "id,v\n1,2\n" + last + "\n3,4\n"
		if f := run(t, c, e).Failure; f != nil {
			t.Fatal(f)
		}
	}
	if !learner.Believed() {
		t.Error("three proofs do not suffice")
	}
}

// TestPrivate_ErrorsStayKnown: the cause of a failure can be found with errors.Is.
func TestPrivate_ErrorsStayKnown(t *testing.T) {
	f := run(t, client(closed(t)), private(t)).Failure
	if f == nil || f.Err == nil || errors.Is(f, http.ErrServerClosed) {
		t.Errorf("failure %+v", f)
	}
}

// closed returns an address where nothing listens.
func closed(t *testing.T) string {
	t.Helper()
	return "http://127.0.0.1:1"
}

// TestPrivate_FormerLineEnds: hashes of lines from before the stream hid cells are removed,
// even those of days that are no longer exported. Those of other streams are kept.
func TestPrivate_FormerLineEnds(t *testing.T) {
	learner := new(exportapi.LineEndLearner)
	c := client(serve(t, answer(200, "text/csv", "id,v\n1,2\n2,"+cell)))
	c.LineEnds = learner
	other := export(t)
	other.Stream = "others"
	run(t, c, export(t))
	run(t, c, other)
	later := private(t)
	later.Day++
	run(t, c, later)
	saved, err := json.Marshal(learner)
	if err != nil {
		t.Fatal(err)
	}
	unkeyed := fmt.Sprintf("%x", schema.BadFingerprint([]byte("2,"+cell)))
	if n := strings.Count(string(saved), unkeyed); n != 1 || !strings.Contains(string(saved), "others/") {
		t.Errorf("the hash of the line is kept %d times: %s", n, saved)
	}
}
