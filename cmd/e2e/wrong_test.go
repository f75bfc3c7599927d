package e2e

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"
)

// TestWrongSurroundings: what is wrong around the program is said, in words that tell what to do, with the exit code that it deserves,
// before long and without a stack trace. 1: Kafka can't be worked with. 3: the API gives nothing, the days stay due.
// Kafka is given 20 seconds.
func TestWrongSurroundings(t *testing.T) {
	t.Parallel()
	answer := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	tests := map[string]struct {
		api     http.HandlerFunc // nil: the simulator
		environ map[string]string
		code    int
		says    []string
		letters []string // codes of the dead letters that the calls leave behind
	}{
		"no broker": {
			environ: map[string]string{"KAFKA_BROKERS": nobody.Addr().String()},
			code:    1, says: []string{nobody.Addr().String(), "nothing listens there: check the port and that the broker runs"},
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
			environ: map[string]string{"DFINERY_BASE_URL": "http://" + nobody.Addr().String()},
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
			t.Parallel()
			b := newBench(t, &exporttest.Server{Data: exporttest.Data{Seed: 71, RowsPerDay: 10}})
			b.environ["BREAKER_FAILURES"] = "2"
			if test.api != nil {
				server := httptest.NewServer(test.api)
				t.Cleanup(server.Close)
				b.environ["DFINERY_BASE_URL"] = server.URL
			}
			for name, value := range test.environ {
				b.environ[name] = value
			}
			began := time.Now()
			_, got := b.run("run", "--once")
			if took := time.Since(began); took > time.Minute {
				t.Errorf("it took %s", took)
			}
			if got.Code != test.code {
				t.Errorf("exit %d, want %d", got.Code, test.code)
			}
			last := got.Stderr[max(0, strings.LastIndex(got.Stderr, "\ndfinery-kafka: ")):]
			for _, text := range test.says {
				if !strings.Contains(last, text) {
					t.Errorf("the last words do not say %q", text)
				}
			}
			for _, text := range []string{"goroutine ", "panic", ".go:", "waits for  ", canary} {
				if strings.Contains(got.Stderr, text) {
					t.Errorf("it shows %q", text)
				}
			}
			if t.Failed() {
				t.Log(got.Stderr)
			}
			if test.code == 1 {
				return
			}
			reasons := map[string]bool{}
			for _, letter := range b.letters() {
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
