package exportapi_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"dfinery-kafka/schema"
)

// canned answers every request with the same bytes, followed by an error if it is cut.
type canned struct {
	status int
	header http.Header
	body   []byte
	err    error
}

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c.status, Status: http.StatusText(c.status), Header: c.header, ContentLength: -1, ProtoMajor: 1,
		Body: io.NopCloser(io.MultiReader(bytes.NewReader(c.body), &ending{c.err}))}, nil
}

type ending struct{ err error }

func (e *ending) Read([]byte) (int, error) { return 0, e.err }

// FuzzAnswer: any answer is a success or a failure with a known code and class, and the token
// is not in the failure.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		"", "id,v\n1,2\n", "id,v\n1,2", "\ufeffid\r\n1\r\n", `{"result":"fail","message":"query_error"}`, "id\n1\n{\"result\":\"fail\",\"message\":\"query_error\"}",
		"<html>", "id,v\n\"1,2\n", "a,a\n", "\x1f\x8b\x08", "{\"message\":[1]}", "id\n" + token + "\n" + token + ",\n", string(zipped("id\n1\n")), "id\n{\n",
	} {
		f.Add(uint16(200), "text/csv", "", "", "", []byte(body), false)
		f.Add(uint16(500), "application/json", "", "3", "9", []byte(body), true)
	}
	f.Add(uint16(200), "text/csv", "gzip", "", "", zipped("id,v\n1,2\n"), false)
	f.Add(uint16(302), "", "", "Sun, 22 Nov 2026 10:02:00 GMT", "1682640000000", []byte(token), false)
	f.Fuzz(func(t *testing.T, status uint16, kind, encoding, retryAfter, reset string, body []byte, cut bool) {
		header := http.Header{"Content-Type": {kind}, "Content-Encoding": {encoding}, "Retry-After": {retryAfter}, "X-Ratelimit-Reset": {reset}, "Server": {token}}
		if status/100 == 3 {
			header.Set("Location", retryAfter)
		}
		end := io.EOF
		if cut {
			end = io.ErrUnexpectedEOF
		}
		api := client("http://api.example")
		api.MaxRow = 1 << 10
		api.Transport = canned{int(status), header, body, end}
		got := run(t, api, export(t))
		if got.Failure == nil {
			if status != 200 || cut || got.Columns == nil {
				t.Errorf("a success: %+v", got)
			}
			return
		}
		switch fail := got.Failure; {
		case fail.Code == "" || fail.Class < schema.Trouble || fail.Class > schema.OutOfReach || fail.Status != int(status):
			t.Errorf("failure %+v", fail)
		case fail.Detail == "" || fail.Origin == "" || fail.RetryAfter < 0 || len(fail.Body) > schema.MaxCopy:
			t.Errorf("failure %+v", fail)
		case bytes.Contains(bytes.ToLower(fail.Body), []byte(strings.ToLower(token))) || strings.Contains(printed(t, fail), token):
			t.Errorf("failure with the token: %+v", fail)
		case cut && errors.Is(fail, io.EOF):
			t.Errorf("a cut body ended cleanly: %+v", fail)
		}
	})
}
