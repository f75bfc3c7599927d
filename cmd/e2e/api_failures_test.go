package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/cluster/clustertest"
	"dfinery-kafka/schema"
)

// TestAPI_SlowAndBrokenBodies: stalls, answers that do not come and resets are detected within
// the configured times and retried. A slow body does not fail, and a clock of the API that is
// hours off has no effect.
func TestAPI_SlowAndBrokenBodies(t *testing.T) {
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
		"drip":                 {exporttest.Fault{Drip: 4 << 10, DripEvery: 100 * time.Millisecond}, nil},
		"a clock hours ahead":  {exporttest.Fault{DateOff: 7 * time.Hour}, nil},
		"a clock hours behind": {exporttest.Fault{DateOff: -7 * time.Hour}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 83, RowsPerDay: 300}})
			b.api.Inject(test.fault)
			b.environ["DFINERY_IDLE_TIMEOUT"], b.environ["DFINERY_HEADER_TIMEOUT"] = "700ms", "2s"
			_, got := b.run("run", "--once")
			if diff := cmp.Diff(test.letters, b.deadLettersByCode()); diff != "" {
				t.Errorf("dead letters (-want +got):\n%s", diff)
			}
			if got.Code != 0 {
				t.Errorf("exit %d:\n%s", got.Code, got.Stderr)
			}
			b.compareEvents()
		})
	}
}

// TestOnce_BrokenSurroundings runs "run --once" while Kafka or the API can't be used. The last
// error says what is wrong and what to do, without a stack trace. The exit code is 1 if Kafka
// could not be used for 20 seconds, and 3 if no export succeeded and days are still due.
func TestOnce_BrokenSurroundings(t *testing.T) {
	t.Parallel()
	answer := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	nobody := clustertest.ClosedPort(t)
	tests := map[string]struct {
		api     http.HandlerFunc // nil: the simulator
		environ map[string]string
		code    int
		says    []string
		letters []string // codes of the dead letters
	}{
		"no broker": {
			environ: map[string]string{"KAFKA_BROKERS": nobody},
			code:    1, says: []string{nobody, "nothing listens there: check the port and that the broker runs"},
		},
		"no topic": {
			environ: map[string]string{"KAFKA_CREATE_TOPICS": "false"},
			code:    1, says: []string{"Unknown Topic Or Partition", "create it with: kafka-topics.sh --bootstrap-server"},
		},
		"a token that is refused": {
			environ: map[string]string{"DFINERY_EXPORT_TOKEN": canary + "-other"},
			code:    3, says: []string{"3 exports are left", "waits for token", "unauthorized_token"}, letters: []string{"unauthorized_token"},
		},
		"a web site": {
			api:  answer(200, "text/html", "<!doctype html><title>hello</title>"),
			code: 3, says: []string{"3 exports are left", "HTML"}, letters: []string{"not_csv"},
		},
		"a proxy's page": {
			api:  answer(502, "text/html", "<html>Bad Gateway</html>"),
			code: 3, says: []string{"3 exports are left", "502"}, letters: []string{"not_csv"},
		},
		"no API": {
			environ: map[string]string{"DFINERY_BASE_URL": "http://" + nobody},
			code:    3, says: []string{"3 exports are left", "refused"}, letters: []string{"connection"},
		},
		"no key column": {
			api:  answer(200, "text/csv", "event_name,df_server_datetime\ndf_purchase,2026-11-22\n"),
			code: 3, says: []string{"3 exports are left", "waits for halted", "df_unified_id"}, letters: []string{"bad_header"},
		},
		"a column twice": {
			api:  answer(200, "text/csv", "df_unified_id,a,a\n1,2,3\n"),
			code: 3, says: []string{"3 exports are left", "waits for halted", `"a"`}, letters: []string{"bad_header"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 71, RowsPerDay: 10}})
			b.environ["BREAKER_FAILURES"] = "2"
			if test.api != nil {
				server := httptest.NewServer(test.api)
				t.Cleanup(server.Close)
				b.environ["DFINERY_BASE_URL"] = server.URL
			}
			for name, value := range test.environ {
				b.environ[name] = value
			}
			p := b.start("run", "--once")
			t.Parallel() // after the setup: the program's 20 s for Kafka pass while other tests run
			code, log := p.wait(time.Minute), p.log()
			if code != test.code {
				t.Errorf("exit %d, want %d", code, test.code)
			}
			last := log[max(0, strings.LastIndex(log, "\ndfinery-kafka: ")):]
			for _, text := range test.says {
				if !strings.Contains(last, text) {
					t.Errorf("the last error does not contain %q", text)
				}
			}
			for _, text := range []string{"goroutine ", "panic", ".go:", "waits for  ", canary} {
				if strings.Contains(log, text) {
					t.Errorf("the output contains %q", text)
				}
			}
			if t.Failed() {
				t.Log(log)
			}
			if test.code == 1 {
				return
			}
			reasons := map[string]bool{}
			for _, letter := range b.deadLetters() {
				reasons[string(letter.Error.Code)] = true
			}
			for _, reason := range test.letters {
				if !reasons[reason] || len(reasons) != len(test.letters) {
					t.Errorf("dead letters of %v, want %v", reasons, test.letters)
				}
			}
			if rows := b.published("events"); len(rows) > 0 {
				t.Errorf("published %v", rows)
			}
		})
	}
}

// TestAPI_StalledBody stalls an answer in the middle of its body. All rows that arrived, and
// the dead letters of bad ones, are in Kafka before the next checkpoint, and are not published
// again. Dead letters of rows are held back until the 1,000th row of the export.
func TestAPI_StalledBody(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 12, RowsPerDay: 2000}})
	b.api.Inject(exporttest.Fault{Then: exporttest.Stall, AfterRow: 1200, BadRows: []exporttest.BadRow{{After: 50, Kind: exporttest.FewerFields}}})
	b.environ["STREAM_EVENTS_START"], b.environ["CHECKPOINT_INTERVAL"], b.environ["DFINERY_IDLE_TIMEOUT"] = "0", "5m", "5m"
	p := b.start("run")
	b.await("a call", func() bool { return len(b.api.Calls()) > 0 })
	arrived := func() (rows, letters int) {
		return len(b.consume("events", kgo.ReadUncommitted())), len(b.consume("dead-letters", kgo.ReadUncommitted()))
	}
	b.await("1200 rows and a dead letter in Kafka", func() bool { rows, letters := arrived(); return rows >= 1200 && letters > 0 })
	type counts struct{ Rows, Letters int }
	rows, letters := arrived()
	if diff := cmp.Diff(counts{1200, 1}, counts{rows, letters}); diff != "" {
		t.Errorf("in Kafka (-want +got):\n%s\n%s", diff, p.log())
	}
	p.kill()
	b.finish()
}
