package exportapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/schema"
)

func TestCutHTTP2(t *testing.T) {
	for _, zip := range []bool{false, true} {
		cut := 0
		compressed, zipEnds := flushed()
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			sent := []byte(cutBody)
			if zip {
				w.Header().Set("Content-Encoding", "gzip")
				sent = compressed
			}
			w.Header().Set("Content-Type", "text/csv")
			w.WriteHeader(200)
			w.Write(sent[:cut])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}))
		server.EnableHTTP2 = true
		server.StartTLS()
		defer server.Close()
		api := client(server.URL)
		transport := exportapi.NewTransport()
		transport.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig
		defer transport.CloseIdleConnections()
		api.Transport = transport
		size := len(cutBody)
		if zip {
			size = len(compressed)
		}
		for ; cut <= size; cut++ {
			known := cut
			if zip {
				known = linesKnown(count(zipEnds, cut))
			}
			got := run(t, api, export(t))
			failure := got.Failure
			got.Failure = nil
			// A reset may arrive before the data that was sent before it, so there may be
			// fewer rows than were sent, but never more.
			if most := completeRows(len(cutBody)); !between(got, outcome{}, most) || !zip && len(got.Rows) > len(completeRows(known).Rows) {
				t.Errorf("gzip %v, cut after %d bytes: %+v", zip, cut, got)
			}
			want := &schema.Failure{Code: schema.CutBody, Status: 200, Request: schema.Request{Rows: int64(len(got.Rows))}}
			if diff := cmp.Diff(want, brief(failure)); diff != "" {
				t.Errorf("gzip %v, cut after %d bytes: %s", zip, cut, diff)
			}
		}
	}
}

// TestFailureThenCut: a failure that the API sends before it closes the connection is
// reported, with any framing.
func TestFailureThenCut(t *testing.T) {
	for _, end := range []string{"", "\n"} {
		body := "id,v\n1,2\n3,\"4" + `{"result":"fail","message":"query_error"}` + end
		got := run(t, client(rawServer(t, func() []byte {
			return []byte("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + body)
		})), export(t))
		if got.Failure == nil || got.Failure.Code != schema.QueryError || got.Failure.Class != schema.Outage {
			t.Errorf("failure %+v", got.Failure)
		}
		got.Failure = nil
		if diff := cmp.Diff(outcome{Columns: []string{"id", "v"}, Rows: []string{"1,2"}}, got); diff != "" {
			t.Error(diff)
		}
	}
}
