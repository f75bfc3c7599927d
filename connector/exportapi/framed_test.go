package exportapi_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"dfinery-kafka/connector/exportapi"
)

// TestBody_Framed: whether the framing of a body proves that it is complete. A body that ends
// with its connection proves nothing.
func TestBody_Framed(t *testing.T) {
	const rows = "id\n1\n"
	inChunks, _ := chunked([]byte(rows))
	var zip bytes.Buffer
	z := gzip.NewWriter(&zip)
	io.WriteString(z, rows)
	z.Close()
	http2 := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		io.WriteString(w, rows)
		w.(http.Flusher).Flush()
	}))
	http2.EnableHTTP2 = true
	http2.StartTLS()
	t.Cleanup(http2.Close)
	overHTTP2 := client(http2.URL)
	overHTTP2.Transport = http2.Client().Transport
	raw := func(head, body string) *exportapi.Client {
		return client(rawServer(t, func() []byte { return []byte(head + "Content-Type: text/csv\r\n\r\n" + body) }))
	}
	for _, test := range []struct {
		name string
		api  *exportapi.Client
		want bool
	}{
		{"length", raw(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n", len(rows)), rows), true},
		{"chunked", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", string(inChunks)), true},
		{"gzip to the end", raw("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\n", zip.String()), true},
		{"HTTP/2", overHTTP2, true},
		{"to the end", raw("HTTP/1.1 200 OK\r\nConnection: close\r\n", rows), false},
		{"HTTP/1.0", raw("HTTP/1.0 200 OK\r\n", rows), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			body, err := test.api.Export(t.Context(), export(t))
			if err != nil {
				t.Fatal(err)
			}
			defer body.Close()
			for err == nil {
				_, err = body.Next()
			}
			if err != io.EOF || body.Framed() != test.want {
				t.Errorf("framed: %t, want %t; %v", body.Framed(), test.want, err)
			}
		})
	}
}
