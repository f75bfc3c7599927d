package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// silent returns a log without output, for servers whose clients are expected to fail.
func silent() *log.Logger { return log.New(io.Discard, "", 0) }

// pour writes n bytes of a repeated text; false if the client closes the connection before.
func pour(w io.Writer, text string, n int64) bool {
	block := []byte(strings.Repeat(text, 1+(256<<10)/len(text)))
	for n > 0 {
		some, err := w.Write(block[:min(int64(len(block)), n)])
		if n -= int64(some); err != nil {
			return false
		}
	}
	return true
}

const hostileHeader = "df_unified_id,event_name,event_log_id\n"

// TestAPI_HostileBodies exports very large and malformed answers. It limits the memory of the
// program, and checks the dead letters and that the rows of the next answer are published.
// HOSTILE_MIB makes the bodies larger.
func TestAPI_HostileBodies(t *testing.T) {
	t.Parallel()
	total := int64(number(t, "HOSTILE_MIB", 112)) << 20
	refused, taken := min(80, int(total/(8<<20))), min(200, int(total/(16<<20))*10)
	csv := func(body func(io.Writer)) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/csv")
			body(w)
		}
	}
	plain := func(contentType, begin, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = io.WriteString(w, begin) // the client may close the connection
			pour(w, text, total)
		}
	}
	row := func(w io.Writer, size int64) {
		_, _ = io.WriteString(w, "u,e,")
		pour(w, "x", size)
		_, _ = io.WriteString(w, "\n")
	}
	last := func(w io.Writer) { _, _ = io.WriteString(w, "u,e,last\n") }
	one := []map[string]string{{"df_unified_id": "u", "event_name": "e", "event_log_id": "last"}}
	tests := map[string]struct {
		api     http.HandlerFunc
		http2   bool
		code    int
		letters map[schema.Code]int
		rows    []map[string]string
		most    int64 // MiB, less than the body has; 0 means 100
	}{
		"a row without end": {
			api: csv(func(w io.Writer) { _, _ = io.WriteString(w, hostileHeader); row(w, total); last(w) }), letters: map[schema.Code]int{"too_large": 1}, rows: one,
		},
		"a quoted row without end": {
			api:  csv(func(w io.Writer) { _, _ = io.WriteString(w, hostileHeader+"u,e,\""); pour(w, "x", total) }),
			code: 3, letters: map[schema.Code]int{"open_quote": 1},
		},
		"many large rows": {
			api: csv(func(w io.Writer) {
				_, _ = io.WriteString(w, hostileHeader)
				for range total >> 25 {
					row(w, 32<<20)
				}
				last(w)
			}),
			letters: map[schema.Code]int{"too_large": int(total >> 25)}, rows: one,
		},
		"rows that Kafka does not take": {
			api: csv(func(w io.Writer) {
				_, _ = io.WriteString(w, hostileHeader)
				for i := range refused {
					_, _ = fmt.Fprintf(w, "u%d,e,", i)
					pour(w, "x", 15<<20)
					_, _ = io.WriteString(w, "\n")
				}
				last(w)
			}),
			letters: map[schema.Code]int{"too_large": refused}, rows: one, most: 200,
		},
		"rows that Kafka just takes": {
			api: csv(func(w io.Writer) {
				_, _ = io.WriteString(w, hostileHeader)
				for range taken {
					row(w, 900<<10)
				}
			}),
			rows: slices.Repeat([]map[string]string{{"df_unified_id": "u", "event_name": "e", "event_log_id": strings.Repeat("x", 900<<10)}}, taken), most: 60,
		},
		"60,000 columns": {
			api: csv(func(w io.Writer) {
				_, _ = io.WriteString(w, "df_unified_id")
				for i := range 60_000 {
					_, _ = fmt.Fprintf(w, ",column_%d", i)
				}
				_, _ = io.WriteString(w, strings.Repeat("\nu"+strings.Repeat(",", 60_000), 200)+"\n")
			}),
			rows: slices.Repeat([]map[string]string{{"df_unified_id": "u"}}, 200),
		},
		"a header that is too long": {
			api: csv(func(w io.Writer) {
				_, _ = io.WriteString(w, "df_unified_id,")
				pour(w, "column,", total)
				last(w)
			}),
			code: 3, letters: map[schema.Code]int{"bad_header": 1},
		},
		"a header without end":        {api: plain("text/csv", "df_unified_id,", "column,"), code: 3, letters: map[schema.Code]int{"maybe_torn": 1}},
		"white space without end":     {api: plain("text/csv", "", " \n"), code: 3, letters: map[schema.Code]int{"not_csv": 1}},
		"a failure without end":       {api: plain("application/json", `{"result":"fail","message":"`, "x"), code: 3, letters: map[schema.Code]int{"not_csv": 1}},
		"a page without end":          {api: plain("text/html", "<html>", "<br>"), code: 3, letters: map[schema.Code]int{"not_csv": 1}},
		"a row compressed to nothing": {api: bomb(total), letters: map[schema.Code]int{"too_large": 1}, rows: one},
		"headers of 10 MB":            {api: heavyHeaders, code: 3, letters: map[schema.Code]int{"connection": 1}},
		"headers of 10 MB, HTTP/2":    {api: heavyHeaders, http2: true, code: 3, letters: map[schema.Code]int{"connection": 1}},
		"hints without end":           {api: hints, code: 3, letters: map[schema.Code]int{"connection": 1}},
		"a length that is not kept":   {api: promise, code: 3, letters: map[schema.Code]int{"cut_body": 1}, rows: one},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, ca := newTestbed(t, new(exporttest.Server)), newAuthority(t)
			server := ca.serve(test.api, test.http2, time.Now().Add(time.Hour))
			b.environ["DFINERY_BASE_URL"], b.environ["SSL_CERT_FILE"] = server.URL, ca.file
			b.environ["STREAM_EVENTS_START"], b.environ["BREAKER_FAILURES"], b.environ["RETRY_BACKOFF"] = "0", "1", "10s"
			b.environ["RETRY_MAX_BACKOFF"], b.environ["KAFKA_COMPRESSION"] = "2m", "none"
			b.environ["KAFKA_PARTITIONS"] = "30"
			began := time.Now()
			p := b.start("run", "--once")
			peak := p.peakMemory()
			select {
			case <-p.done:
			case <-time.After(2 * time.Minute):
				t.Fatalf("timeout while waiting for the program's end:\n%s", p.log())
			}
			resident := <-peak
			t.Logf("peak memory %d MiB, after %s", resident>>20, time.Since(began).Round(100*time.Millisecond))
			most := test.most << 20
			if most == 0 {
				most = 100 << 20
			}
			if resident > most {
				t.Errorf("peak memory %d bytes, more than %d", resident, most)
			}
			if code := p.cmd.ProcessState.ExitCode(); code != test.code {
				t.Errorf("exit %d, want %d", code, test.code)
			}
			if diff := cmp.Diff(test.letters, b.deadLettersByCode()); diff != "" {
				t.Errorf("dead letters (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(newRows(test.rows...), b.published("events"), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("published (-want +got):\n%s", diff)
			}
			if t.Failed() {
				t.Log(p.log())
			}
		})
	}
}

// bomb answers with a row of n bytes, gzipped to about a thousandth of its size.
func bomb(n int64) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		w.Header().Set("Content-Encoding", "gzip")
		z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err != nil {
			panic(err) // can't happen: the level is valid
		}
		_, _ = io.WriteString(z, hostileHeader+"u,e,")
		pour(z, "x", n)
		_, _ = io.WriteString(z, "\nu,e,last\n")
		_ = z.Close()
	}
}

func heavyHeaders(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/csv")
	for i := range 160 {
		w.Header().Set(fmt.Sprintf("X-Heavy-%d", i), strings.Repeat("x", 64<<10))
	}
	_, _ = io.WriteString(w, hostileHeader+"u,e,last\n")
}

// hints answers with informational responses only.
func hints(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Link", strings.Repeat("x", 1<<10))
	for range 100_000 {
		if r.Context().Err() != nil {
			return
		}
		w.WriteHeader(http.StatusEarlyHints)
	}
}

// promise declares a Content-Length of an exabyte and ends after two lines.
func promise(w http.ResponseWriter, _ *http.Request) {
	conn, out, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err) // HTTP/1 can always be hijacked
	}
	defer conn.Close()
	var answer bytes.Buffer
	fmt.Fprintf(&answer, "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n%su,e,last\n", int64(1)<<60, hostileHeader)
	_, _ = out.Write(answer.Bytes())
	_ = out.Flush()
}
