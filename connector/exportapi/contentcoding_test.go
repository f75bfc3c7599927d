package exportapi_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/schema"
)

// answering returns a client whose calls all get the same answer, and its log.
func answering(status int, header http.Header, body string) (*exportapi.Client, *bytes.Buffer) {
	log := new(bytes.Buffer)
	api := client("http://api.example")
	api.Transport = canned{status, header, []byte(body), io.EOF}
	api.Log = slog.New(slog.NewTextHandler(log, nil))
	return api, log
}

// warnings counts the messages in a log.
func warnings(log *bytes.Buffer) map[string]int {
	said := map[string]int{}
	for line := range strings.Lines(log.String()) {
		_, message, _ := strings.Cut(line, `msg="`)
		message, _, _ = strings.Cut(message, ":")
		said[strings.TrimSuffix(message, `"`)]++
	}
	return said
}

// TestContentCoding: a body is decoded by its actual coding. If the header differs, there is one
// warning.
func TestContentCoding(t *testing.T) {
	const (
		csv        = "id,v\n1,2\n3,4\n"
		plain      = "the answer is not compressed although its Content-Encoding says so"
		compressed = "the answer is gzip although its Content-Encoding does not say so"
	)
	zip := string(zipped(csv))
	halves := string(zipped(csv[:7])) + string(zipped(csv[7:]))
	for _, c := range []struct {
		name    string
		coding  []string // values of the header; nil: none
		body    string
		warning string
		failure schema.Code
		detail  string
	}{
		{name: "none", body: csv},
		{name: "identity", coding: []string{"Identity"}, body: csv},
		{name: "empty", coding: []string{""}, body: csv, warning: plain},
		{name: "a charset", coding: []string{"UTF-8"}, body: csv, warning: plain},
		{name: "the word none", coding: []string{"none"}, body: csv, warning: plain},
		{name: "binary", coding: []string{"binary"}, body: csv, warning: plain},
		{name: "a transfer coding", coding: []string{"chunked"}, body: csv, warning: plain},
		{name: "a quoted cell first", coding: []string{"utf-8"}, body: "\"id\",v\n1,2\n3,4\n", warning: plain},

		{name: "gzip", coding: []string{"gzip"}, body: zip},
		{name: "x-gzip", coding: []string{"X-GZIP"}, body: zip},
		{name: "gzip in several streams", coding: []string{"gzip"}, body: halves},
		{name: "gzip and nothing", coding: []string{"gzip, identity"}, body: zip},
		{name: "gzip twice", coding: []string{"gzip", "gzip"}, body: string(zipped(zip))},
		{name: "gzip twice, said once", coding: []string{"gzip"}, body: string(zipped(zip))},
		{name: "gzip without a word of it", body: zip, warning: compressed},
		{name: "gzip that is said to be text", coding: []string{"utf-8"}, body: zip, warning: compressed},
		{name: "text that is said to be gzip", coding: []string{"gzip"}, body: csv, warning: plain},
		{name: "text that is said to be br", coding: []string{"br"}, body: csv, warning: plain},
		{name: "text with a mark that is said to be deflate", coding: []string{"deflate"}, body: "\ufeff" + csv, warning: plain},

		{name: "zero padding", coding: []string{"gzip"}, body: zip + strings.Repeat("\x00", 70000)},
		{name: "zero padding behind several streams", coding: []string{"gzip"}, body: halves + "\x00"},
		{name: "garbage", coding: []string{"gzip"}, body: zip + "garbage", failure: schema.CutBody, detail: "bytes that are neither gzip nor zero padding"},
		{name: "garbage behind the padding", coding: []string{"gzip"}, body: zip + "\x00\x00x", failure: schema.CutBody, detail: "bytes that are neither gzip nor zero padding"},
		{name: "a broken stream", coding: []string{"gzip"}, body: zip[:len(zip)-3], failure: schema.CutBody},
		{name: "a broken second stream", coding: []string{"gzip"}, body: halves[:len(halves)-3], failure: schema.CutBody},

		{name: "br", coding: []string{"br"}, body: "\x8b\x06\x80\x03", failure: schema.NotCSV, detail: `Content-Encoding "br"`},
		{name: "zstd", coding: []string{"zstd"}, body: "\x28\xb5\x2f\xfd\x04\x00", failure: schema.NotCSV, detail: `Content-Encoding "zstd"`},
		{name: "br within gzip", coding: []string{"br, gzip"}, body: string(zipped("\x8b\x06\x80\x03")), failure: schema.NotCSV, detail: `Content-Encoding "br, gzip"`},
		{name: "several", coding: []string{"gzip, br"}, body: "\x8b\x06\x80\x03", failure: schema.NotCSV, detail: `Content-Encoding "gzip, br"`},
		{name: "a failure that is said to be br", coding: []string{"br"}, body: `{"result":"fail","message":"query_error"}`, failure: schema.QueryError},
		{name: "a failure that is said to be text", coding: []string{"utf-8"}, body: `{"result":"fail","message":"query_error"}`, warning: plain, failure: schema.QueryError},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := http.Header{"Content-Type": {"text/csv"}}
			if c.coding != nil {
				header["Content-Encoding"] = c.coding
			}
			api, log := answering(http.StatusOK, header, c.body)
			got, again := run(t, api, export(t)), run(t, api, export(t))
			want := map[string]int{}
			if c.warning != "" {
				want[c.warning] = 1
			}
			if diff := cmp.Diff(want, warnings(log)); diff != "" {
				t.Errorf("warnings of two calls: %s", diff)
			}
			if f := got.Failure; c.failure != "" {
				if f == nil || f.Code != c.failure || !strings.Contains(f.Detail, c.detail) {
					t.Errorf("%+v, want %s and %q", f, c.failure, c.detail)
				}
				return
			}
			for _, o := range []outcome{got, again} {
				if diff := cmp.Diff(outcome{Columns: []string{"id", "v"}, Rows: []string{"1,2", "3,4"}}, o); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// FuzzContentCoding: a body of any number of gzip streams, with or without padding, is decoded.
func FuzzContentCoding(f *testing.F) {
	f.Add([]byte("id\n1\n"), uint8(2), uint16(3))
	f.Fuzz(func(t *testing.T, rows []byte, streams uint8, padding uint16) {
		body := append([]byte("id\n"), rows...)
		var sent bytes.Buffer
		for left := body; ; {
			n := len(left)
			if streams > 0 {
				n = min(n, 1+len(body)/int(streams))
			}
			z := gzip.NewWriter(&sent)
			z.Write(left[:n])
			z.Close()
			if left = left[n:]; len(left) == 0 {
				break
			}
		}
		sent.Write(make([]byte, padding))
		plain, _ := answering(http.StatusOK, http.Header{}, string(body))
		zipped, _ := answering(http.StatusOK, http.Header{"Content-Encoding": {"gzip"}}, sent.String())
		if diff := cmp.Diff(rowsOf(run(t, plain, export(t))), rowsOf(run(t, zipped, export(t)))); diff != "" {
			t.Error(diff)
		}
	})
}

func rowsOf(o outcome) outcome {
	o.Failure = nil
	return o
}
