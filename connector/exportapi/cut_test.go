package exportapi_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dfinery-kafka/schema"
)

// cutBody has a plain row, a row of two lines with doubled quotes, and a last one.
const cutBody = "id,v\n1,2\n\"3\n\",\"4\"\"\"\n5,6\n"

// lines are the offsets after cutBody's header and rows.
var lines = []struct {
	end int
	row string
}{{5, ""}, {9, "1,2"}, {20, "\"3\n\",\"4\"\"\""}, {24, "5,6"}}

// completeRows returns the columns and rows of the first n bytes.
func completeRows(n int) (o outcome) {
	for i, line := range lines {
		switch {
		case line.end > n:
		case i == 0:
			o.Columns = []string{"id", "v"}
		default:
			o.Rows = append(o.Rows, line.row)
		}
	}
	return o
}

// rawServer sends the bytes that answer returns on each connection, and closes it, unless the
// client has closed it before.
func rawServer(t *testing.T, answer func() []byte) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			readRequest(conn)
			conn.Write(answer())
			conn.Close()
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return "http://" + listener.Addr().String()
}

// readRequest reads a request to its end, so that closing the connection does not reset it.
func readRequest(conn net.Conn) {
	buf := make([]byte, 8<<10)
	n := 0
	for n < len(buf) && !bytes.HasSuffix(buf[:n], []byte("}")) {
		more, err := conn.Read(buf[n:])
		if err != nil {
			return
		}
		n += more
	}
}

// flushed returns cutBody compressed, with a flush after each line, and the offsets of these
// flushes.
func flushed() (b []byte, ends []int) {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	from := 0
	for _, line := range lines {
		io.WriteString(z, cutBody[from:line.end])
		z.Flush()
		from = line.end
		ends = append(ends, buf.Len())
	}
	z.Close()
	return buf.Bytes(), ends
}

// chunked returns a body in which each byte is a chunk, so that there are cuts at each
// position of a chunk, and the offset from which each byte can be read.
func chunked(body []byte) (b []byte, readable []int) {
	for _, c := range body {
		b = fmt.Appendf(b, "1\r\n%c", c)
		if c >= 0x80 { // %c would encode it as UTF-8
			b = append(b[:len(b)-len(string(rune(c)))], c)
		}
		readable = append(readable, len(b))
		b = append(b, "\r\n"...)
	}
	return append(b, "0\r\n\r\n"...), readable
}

// TestCut cuts a body at every byte: exactly the rows whose newline arrived are returned, then one
// failure.
func TestCut(t *testing.T) {
	zip, zipEnds := flushed()
	inChunks, readable := chunked([]byte(cutBody))
	zipChunks, zipReadable := chunked(zip)
	for _, c := range []struct {
		name    string
		headers string
		sent    []byte
		plain   func(cut int) int // number of cutBody's bytes that are in the first cut bytes of the answer
	}{
		{"length", fmt.Sprintf("Content-Length: %d\r\n", len(cutBody)), []byte(cutBody), func(cut int) int { return cut }},
		{"chunked", "Transfer-Encoding: chunked\r\n", inChunks, func(cut int) int { return count(readable, cut) }},
		{"gzip length", fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n", len(zip)), zip, func(cut int) int { return linesKnown(count(zipEnds, cut)) }},
		{"gzip chunked", "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", zipChunks, func(cut int) int { return linesKnown(count(zipEnds, count(zipReadable, cut))) }},
		{"gzip to the end", "Content-Encoding: gzip\r\n", zip, func(cut int) int { return linesKnown(count(zipEnds, cut)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			cut := 0
			url := rawServer(t, func() []byte {
				return append([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nConnection: close\r\n"+c.headers+"\r\n"), c.sent[:cut]...)
			})
			api := client(url)
			for ; cut <= len(c.sent); cut++ {
				got := run(t, api, export(t))
				failure := got.Failure
				got.Failure = nil
				least, most := completeRows(c.plain(cut)), completeRows(len(cutBody))
				if !strings.Contains(c.headers, "gzip") {
					most = least // a compressed line may be complete some bytes before the end of its flush
				}
				if !between(got, least, most) {
					t.Errorf("cut after %d bytes: %+v, want %+v", cut, got, least)
				}
				want := &schema.Failure{Code: schema.CutBody, Status: 200, Request: schema.Request{Rows: int64(len(got.Rows))}}
				if cut == len(c.sent) {
					want = nil
				} else if cut == 0 && c.name == "gzip to the end" {
					want.Code = schema.EmptyBody
				}
				if diff := cmp.Diff(want, brief(failure)); diff != "" {
					t.Errorf("cut after %d bytes: %s", cut, diff)
				}
			}
		})
	}
}

// brief returns the parts of a cut body's failure that are compared.
func brief(f *schema.Failure) *schema.Failure {
	if f == nil {
		return nil
	}
	return &schema.Failure{Code: f.Code, Class: f.Class, Status: f.Status, Request: schema.Request{Rows: f.Request.Rows}}
}

// between reports whether got has at least the rows of least, and is a beginning of most.
func between(got, least, most outcome) bool {
	beginning := outcome{Rows: most.Rows[:min(len(got.Rows), len(most.Rows))]}
	if got.Columns != nil {
		beginning.Columns = most.Columns
	}
	return cmp.Equal(beginning, got, cmpopts.EquateEmpty()) && len(got.Columns) >= len(least.Columns) && len(got.Rows) >= len(least.Rows)
}

// count returns how many of the ascending offsets are not after n.
func count(places []int, n int) (c int) {
	for _, place := range places {
		if place <= n {
			c++
		}
	}
	return c
}

func linesKnown(n int) int {
	if n == 0 {
		return 0
	}
	return lines[n-1].end
}

// TestCloseDelimited: an HTTP/1 body without length, chunks and compression ends with its
// connection. If it ends with a newline, it counts as complete.
func TestCloseDelimited(t *testing.T) {
	cut := 0
	api := client(rawServer(t, func() []byte { return []byte("HTTP/1.0 200 OK\r\nContent-Type: text/csv\r\n\r\n" + cutBody[:cut]) }))
	for ; cut <= len(cutBody); cut++ {
		want := completeRows(cut)
		got := run(t, api, export(t))
		var code schema.Code
		if got.Failure != nil {
			code, got.Failure = got.Failure.Code, nil
		}
		wantCode := schema.MaybeTorn
		switch {
		case cut == 0:
			wantCode = schema.EmptyBody
		case cutBody[cut-1] == '\n':
			wantCode = ""
		}
		if strings.Count(cutBody[:cut], `"`)%2 == 1 {
			wantCode = schema.OpenQuote
		}
		if diff := cmp.Diff(wantCode, code); diff != "" {
			t.Errorf("ended after %q: %s", cutBody[:cut], diff)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ended after %q: %s", cutBody[:cut], diff)
		}
	}
}
