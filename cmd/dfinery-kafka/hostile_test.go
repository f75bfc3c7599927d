package main_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// silent is the log of a server whose clients are meant to fail.
func silent() *log.Logger { return log.New(io.Discard, "", 0) }

// pour writes n bytes of text again and again, until the client has had enough.
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

// TestHostileBodies: whatever the API sends, memory stays small, and what stands behind it is published. HOSTILE_MIB makes it larger.
func TestHostileBodies(t *testing.T) {
	t.Parallel()
	total := int64(number(t, "HOSTILE_MIB", 128)) << 20
	csv := func(body func(io.Writer)) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/csv")
			body(w)
		}
	}
	plain := func(contentType, begin, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = io.WriteString(w, begin) // the client may hang up
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
		code    int
		letters map[schema.Code]int
		rows    []map[string]string
		http2   bool
		most    int64 // MiB; 0 means 100
	}{
		"a row without end": {csv(func(w io.Writer) { _, _ = io.WriteString(w, hostileHeader); row(w, total); last(w) }), 0, map[schema.Code]int{"too_large": 1}, one, false, 0},
		"a quoted row without end": {csv(func(w io.Writer) { _, _ = io.WriteString(w, hostileHeader+"u,e,\""); pour(w, "x", total) }),
			3, map[schema.Code]int{"maybe_torn": 1}, nil, false, 0},
		"many large rows": {csv(func(w io.Writer) {
			_, _ = io.WriteString(w, hostileHeader)
			for range total >> 25 {
				row(w, 32<<20)
			}
			last(w)
		}), 0, map[schema.Code]int{"too_large": int(total >> 25)}, one, false, 0},
		"rows that Kafka does not take": {csv(func(w io.Writer) {
			_, _ = io.WriteString(w, hostileHeader)
			for i := range 40 {
				_, _ = fmt.Fprintf(w, "u%d,e,", i)
				pour(w, "x", 15<<20)
				_, _ = io.WriteString(w, "\n")
			}
			last(w)
		}), 0, map[schema.Code]int{"too_large": 40}, one, false, 300},
		"rows that Kafka just takes": {csv(func(w io.Writer) {
			_, _ = io.WriteString(w, hostileHeader)
			for range 200 {
				row(w, 900<<10)
			}
		}), 0, map[schema.Code]int{}, slices.Repeat([]map[string]string{{"df_unified_id": "u", "event_name": "e", "event_log_id": strings.Repeat("x", 900<<10)}}, 200), false, 0},
		"a header without end": {plain("text/csv", "df_unified_id,", "column,"), 3, map[schema.Code]int{"maybe_torn": 1}, nil, false, 0},
		"a header that is too long": {csv(func(w io.Writer) {
			_, _ = io.WriteString(w, "df_unified_id,")
			pour(w, "column,", total)
			last(w)
		}), 3, map[schema.Code]int{"bad_header": 1}, nil, false, 0},
		"60,000 columns": {csv(func(w io.Writer) {
			_, _ = io.WriteString(w, "df_unified_id")
			for i := range 60_000 {
				_, _ = fmt.Fprintf(w, ",column_%d", i)
			}
			for range 200 {
				_, _ = io.WriteString(w, "\nu"+strings.Repeat(",", 60_000))
			}
			_, _ = io.WriteString(w, "\n")
		}), 0, map[schema.Code]int{}, slices.Repeat([]map[string]string{{"df_unified_id": "u"}}, 200), false, 0},
		"white space without end":      {plain("text/csv", "", " \n"), 3, map[schema.Code]int{"not_csv": 1}, nil, false, 0},
		"a failure without end":        {plain("application/json", `{"result":"fail","message":"`, "x"), 3, map[schema.Code]int{"not_csv": 1}, nil, false, 0},
		"a page without end":           {plain("text/html", "<html>", "<br>"), 3, map[schema.Code]int{"not_csv": 1}, nil, false, 0},
		"a page compressed to nothing": {bomb(total), 0, map[schema.Code]int{"too_large": 1}, one, false, 0},
		"headers of 10 MB":             {heavyHeaders, 3, map[schema.Code]int{"connection": 1}, nil, false, 0},
		"headers of 10 MB, HTTP/2":     {heavyHeaders, 3, map[schema.Code]int{"connection": 1}, nil, true, 0},
		"hints without end":            {hints, 3, map[schema.Code]int{"connection": 1}, nil, false, 0},
		"a length that is not kept":    {promise, 3, map[schema.Code]int{"cut_body": 1}, one, false, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b, ca := newBench(t, new(exporttest.Server)), newAuthority(t)
			server := ca.serve(test.api, test.http2, time.Now().Add(time.Hour))
			b.environ["DFINERY_BASE_URL"], b.environ["SSL_CERT_FILE"] = server.URL, ca.file
			b.environ["STREAM_EVENTS_START"], b.environ["BREAKER_FAILURES"], b.environ["RETRY_BACKOFF"] = "0", "1", "10s"
			b.environ["RETRY_MAX_BACKOFF"], b.environ["KAFKA_COMPRESSION"] = "2m", "none"
			began := time.Now()
			p := b.start(binary, nil, "run", "--once")
			peak := p.peak()
			select {
			case <-p.done:
			case <-time.After(2 * time.Minute):
				t.Fatalf("it does not end:\n%s", p.text())
			}
			resident := <-peak
			t.Logf("%d MiB resident at most, %s", resident>>20, time.Since(began).Round(100*time.Millisecond))
			if most := cmp.Or(test.most, 100) << 20; resident > most {
				t.Errorf("%d bytes were resident, more than %d", resident, most)
			}
			if code := p.cmd.ProcessState.ExitCode(); code != test.code {
				t.Errorf("exit %d, want %d", code, test.code)
			}
			letters := map[schema.Code]int{}
			for _, l := range b.letters() {
				letters[l.Error.Code]++
			}
			if differs := diff.Diff(test.letters, letters); differs != "" {
				t.Errorf("dead letters (-want +got):\n%s", differs)
			}
			if differs := diff.Diff(test.rows, b.published("events")); differs != "" {
				t.Errorf("published (-want +got):\n%s", differs)
			}
			if t.Failed() {
				t.Log(p.text())
			}
		})
	}
}

// peak gives, when the process has ended, the most memory that it was seen to have resident, in bytes. What wait4 tells would count the
// memory of the test, from which it was forked.
func (p *process) peak() <-chan int64 {
	peak := make(chan int64, 1)
	go func() {
		var most int64
		look := time.NewTicker(5 * time.Millisecond)
		defer look.Stop()
		for {
			select {
			case <-p.done:
				peak <- most
				return
			case <-look.C:
			}
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
			if err != nil {
				continue // it has just ended
			}
			for line := range strings.Lines(string(status)) {
				var kib int64
				if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
					most = max(most, kib<<10)
				}
			}
		}
	}()
	return peak
}

// bomb is a row of n bytes that travels as a thousandth of them.
func bomb(n int64) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		w.Header().Set("Content-Encoding", "gzip")
		z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err != nil {
			panic(err) // the level is a valid one
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

// hints answers with informational responses alone.
func hints(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Link", strings.Repeat("x", 1<<10))
	for range 100_000 {
		if r.Context().Err() != nil {
			return
		}
		w.WriteHeader(http.StatusEarlyHints)
	}
}

// promise declares an exabyte and ends after two lines.
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

// TestSlowAndBroken: a stall, a silence, a reset are known within the limits and retried; a drip never fails; a clock that is hours off
// changes nothing.
func TestSlowAndBroken(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault   exporttest.Fault
		letters map[schema.Code]int
	}{
		"stall":                {exporttest.Fault{Then: exporttest.Stall, AfterRow: 100}, map[schema.Code]int{"timeout": 1}},
		"stall in the header":  {exporttest.Fault{Then: exporttest.Stall, At: 10}, map[schema.Code]int{"timeout": 1}},
		"silence":              {exporttest.Fault{Hang: true}, map[schema.Code]int{"timeout": 1}},
		"reset":                {exporttest.Fault{Then: exporttest.Reset, AfterRow: 100, At: 7}, map[schema.Code]int{"cut_body": 1}},
		"hang-up":              {exporttest.Fault{Drop: true}, map[schema.Code]int{"connection": 1}},
		"drip":                 {exporttest.Fault{Drip: 4 << 10, DripEvery: 100 * time.Millisecond}, map[schema.Code]int{}},
		"a clock hours ahead":  {exporttest.Fault{DateOff: 7 * time.Hour}, map[schema.Code]int{}},
		"a clock hours behind": {exporttest.Fault{DateOff: -7 * time.Hour}, map[schema.Code]int{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, &exporttest.Server{Data: exporttest.Data{Seed: 83, RowsPerDay: 300}})
			b.api.Inject(test.fault)
			b.environ["DFINERY_IDLE_TIMEOUT"], b.environ["DFINERY_HEADER_TIMEOUT"] = "700ms", "2s"
			_, got := b.run("run", "--once")
			letters := map[schema.Code]int{}
			for _, l := range b.letters() {
				letters[l.Error.Code]++
			}
			if differs := diff.Diff(test.letters, letters); differs != "" {
				t.Errorf("dead letters (-want +got):\n%s", differs)
			}
			if got.Code != 0 {
				t.Errorf("exit %d:\n%s", got.Code, got.Stderr)
			}
			compare(t, b.served(schema.Event), b.published("events"))
		})
	}
}

// TestOutOfReachByAWrongClock: a day is a gap when the API says that it is out of reach, but not when its clock differs by hours from ours.
func TestOutOfReachByAWrongClock(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		off   time.Duration
		code  int
		state string
	}{"clocks agree": {0, 0, "gap"}, "API ahead": {7 * time.Hour, 3, "pending"}, "API behind": {-7 * time.Hour, 3, "pending"}}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			oldest := schema.DayOf(time.Now(), seoul) - 2
			b := newBench(t, &exporttest.Server{Data: exporttest.Data{Seed: 84, RowsPerDay: 20}, Faults: func(c exporttest.Call) *exporttest.Fault {
				if c.Query.From == oldest {
					return &exporttest.Fault{DateOff: test.off, Code: schema.ExceedDateRangeLimit}
				}
				return nil
			}})
			b.environ["RETRY_BACKOFF"], b.environ["RETRY_MAX_BACKOFF"] = "2m", "2m"
			_, got := b.run("run", "--once")
			if got.Code != test.code {
				t.Errorf("exit %d, want %d", got.Code, test.code)
			}
			_, state := b.books()
			days := map[string]string{}
			for name, d := range state.Days {
				days[name.Day.String()] = string(d.State)
			}
			want := map[string]string{oldest.String(): test.state, (oldest + 1).String(): "open", (oldest + 2).String(): "open"}
			if differs := diff.Diff(want, days); differs != "" {
				t.Errorf("days (-want +got):\n%s\n%s", differs, got.Stderr)
			}
		})
	}
}
