package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestStatus_AfterRun: without a running owner, status prints from the ledger what was published
// and what is due next.
func TestStatus_AfterRun(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 44, RowsPerDay: 50}})
	if _, got := b.run("status"); got.Code != 1 || !strings.Contains(got.Stderr, "has the connector run yet") && !strings.Contains(got.Stderr, "read the ledger") {
		t.Errorf("before any run: exit %d: %s", got.Code, got.Stderr)
	}
	b.runOnce(0)
	b.pollEvery("1h")
	out, got := b.run("status")
	if got.Code != 0 {
		t.Fatalf("exit %d: %s", got.Code, got.Stderr)
	}
	expectText(t, out, "service 1234, stopped", "calls left this hour: 97 of 100", "breaker closed", "                           ▒▒▒  today 50 rows, in all 150, dead rows 0",
		"newest row published ", "last export ", "waits for ")
	s := b.status()
	if len(s.Streams) != 1 || len(s.Streams[0].Days) != 3 || s.Streams[0].Days[0].Published != 50 || s.Streams[0].Days[0].State != "open" {
		t.Errorf("status --json: %+v", s)
	}
}

// TestStatus_WithoutToken: commands that only use Kafka need no token, and ignore that a token
// file is missing.
func TestStatus_WithoutToken(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 44, RowsPerDay: 50}})
	b.runOnce(0)
	delete(b.environ, "DFINERY_EXPORT_TOKEN")
	for _, file := range []string{"", "/nowhere/token"} {
		b.set("DFINERY_EXPORT_TOKEN_FILE", file)
		for _, args := range [][]string{
			{"status"}, {"status", "--json"}, {"dlq", "list"}, {"pause", "events", "--wait", "0"}, {"resume", "events", "--wait", "0"},
			{"backfill", "events", "--from", (currentDay() - 1).String(), "--yes", "--wait", "0"},
		} {
			if out, got := b.run(args...); got.Code != 0 {
				t.Errorf("%v: exit %d:\n%s%s", args, got.Code, out, got.Stderr)
			}
		}
	}
	b.set("DFINERY_EXPORT_TOKEN_FILE", "")
	for _, elsewhere := range [][]string{
		{"STREAM_EVENTS_HASH", "df_external_id", "PRIVACY_KEY_FILE", "/nowhere/key"},
		{"STREAM_EVENTS_FORMAT", "json-typed", "STREAM_EVENTS_COLUMNS_FILE", "/nowhere/columns"},
		{"STREAM_EVENTS_FORMAT", "avro", "SCHEMA_REGISTRY_URL", "https://registry.example", "SCHEMA_REGISTRY_TLS_CA_FILE", "/nowhere/ca"},
		{"STREAM_EVENTS_FORMAT", "avro", "SCHEMA_REGISTRY_URL", "https://registry.example", "SCHEMA_REGISTRY_USERNAME", "me", "SCHEMA_REGISTRY_PASSWORD_FILE", "/nowhere/password"},
	} {
		before := maps.Clone(b.environ)
		b.set(elsewhere...)
		for _, args := range [][]string{{"status"}, {"dlq", "list"}, {"backfill", "events", "--changed"}} {
			if out, got := b.run(args...); got.Code != 0 {
				t.Errorf("%v with %v: exit %d:\n%s%s", args, elsewhere, got.Code, out, got.Stderr)
			}
		}
		b.environ = before
	}
	if _, got := b.run("run", "--once"); got.Code != 2 {
		t.Errorf("run without a token: exit %d:\n%s", got.Code, got.Stderr)
	}
}

// TestStatus_OwnersConfiguration: status shows the streams with their owner's configuration, if
// only the variables of Kafka, the service's id, STREAMS and LEDGER_TOPIC are set.
func TestStatus_OwnersConfiguration(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 45, RowsPerDay: 50}})
	b.set("STREAMS", "events,users", "STREAM_USERS_EXPORT", "userprofile", "STREAM_USERS_TOPIC", b.prefix+"users", "STREAM_EVENTS_PROPERTIES", "df_discount",
		"STREAM_EVENTS_LOOKBACK", "0", "STREAM_EVENTS_POLL_INTERVAL", "3h", "DFINERY_TIMEZONE", "UTC")
	b.runOnce(0)
	show := func() map[string]any {
		out, got := b.run("status", "--json")
		if got.Code != 0 {
			t.Fatalf("exit %d: %s", got.Code, got.Stderr)
		}
		var shown map[string]any
		if err := json.Unmarshal([]byte(out), &shown); err != nil {
			t.Fatal(err)
		}
		delete(shown, "at")
		return shown
	}
	want := show()
	for name := range b.environ {
		if !slices.Contains([]string{"KAFKA_BROKERS", "DFINERY_SERVICE_ID", "STREAMS", "LEDGER_TOPIC"}, name) {
			delete(b.environ, name)
		}
	}
	if diff := cmp.Diff(want, show()); diff != "" {
		t.Errorf("status (-with all variables +with few):\n%s", diff)
	}
	if out, got := b.run("status", "--fail-if-late", "1h"); got.Code != 0 {
		t.Errorf("exit %d:\n%s%s", got.Code, out, got.Stderr)
	}
}

// TestStatus_FailIfLate: with --fail-if-late status fails if a day has been incomplete for longer
// than that after its end.
func TestStatus_FailIfLate(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 44, RowsPerDay: 50}})
	b.set("STREAM_EVENTS_START", "0")
	b.runOnce(0)
	if out, got := b.run("status", "--fail-if-late", "1s"); got.Code != 0 {
		t.Errorf("today alone: exit %d:\n%s%s", got.Code, out, got.Stderr)
	}
	b.set("STREAM_EVENTS_START", "2") // these days have not been exported
	since := (currentDay() - 2).End(seoul).UTC().Format(time.RFC3339)
	want := result{1, "dfinery-kafka: late by more than 1h0m0s:\n  stream events: the day that ended at " + since + " is not complete\n"}
	if _, got := b.run("status", "--fail-if-late", "1h"); got != want {
		t.Errorf("a day of two days ago: %+v, want %+v", got, want)
	}
	if out, got := b.run("status", "--fail-if-late", "72h"); got.Code != 0 {
		t.Errorf("not late yet: exit %d:\n%s%s", got.Code, out, got.Stderr)
	}
	b.runOnce(0)
	if out, got := b.run("status", "--fail-if-late", "1s"); got.Code != 0 {
		t.Errorf("complete: exit %d:\n%s%s", got.Code, out, got.Stderr)
	}
}

// TestVersion_OfLinker: version prints the version that the linker has set.
func TestVersion_OfLinker(t *testing.T) {
	t.Parallel()
	if out, got := runProgram(t, binary, nil, "version"); got != (result{}) || !strings.HasPrefix(out, "dfinery-kafka v1.2.3 ") {
		t.Errorf("exit %d: %s%s", got.Code, out, got.Stderr)
	}
}

// TestStatus_Waits: status prints the reason why a failing service waits, and until when.
func TestStatus_Waits(t *testing.T) {
	t.Parallel()
	in := func(d time.Duration) string { return fmt.Sprint(time.Now().Add(d).Unix()) }
	type set map[string]string
	tests := map[string]struct {
		fault   exporttest.Fault
		waits   string
		until   time.Duration // from now, plus or minus half
		says    []string
		environ set
	}{
		"breaker": {exporttest.Fault{Code: schema.UnknownError}, "breaker", 10 * time.Minute,
			[]string{"breaker open until ", "(2 × unknown_error in a row)", "unknown_error: the API answered 500"}, nil},
		"breaker, longer than the day's backoff": {exporttest.Fault{Code: schema.UnknownError}, "breaker", 10 * time.Minute,
			[]string{"breaker open until ", "(1 × unknown_error in a row)"}, set{"BREAKER_FAILURES": "1", "RETRY_BACKOFF": "2m", "RETRY_MAX_BACKOFF": "2m"}},
		"quota by the reset": {exporttest.Fault{Code: schema.TooManyAPIRequests, Header: http.Header{"X-Rate-Limit-Reset": {in(20 * time.Minute)}}},
			"quota", 20 * time.Minute, []string{"calls left this hour: 0 of 1000000 ("}, nil},
		"quota by Retry-After": {exporttest.Fault{Code: schema.TooManyAPIRequests, Header: http.Header{"Retry-After": {"1200"}}},
			"quota", 20 * time.Minute, []string{"calls left this hour: 0 of "}, nil},
		"token":        {exporttest.Fault{Code: schema.UnauthorizedToken}, "token", 10 * time.Minute, []string{"unauthorized_token: the API answered 401"}, nil},
		"halted":       {exporttest.Fault{Code: schema.InvalidParameter}, "halted", time.Hour, []string{"halted: export events ", "check DFINERY_SERVICE_ID and the stream's filters"}, nil},
		"link":         {exporttest.Fault{Page: "<html>", Status: 502, Header: http.Header{"Retry-After": {"600"}}}, "backoff", 10 * time.Minute, []string{"not_csv: the answer was 502 Bad Gateway"}, nil},
		"today is not": {exporttest.Fault{Code: schema.ExceedDateRangeLimit}, "backoff", 10 * time.Minute, []string{"exceed_date_range_limit: the API answered 400"}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{RowsPerDay: 10},
				Faults: func(exporttest.Call) *exporttest.Fault { return &test.fault }})
			b.unlimited()
			b.set("STREAM_EVENTS_START", "0", "BREAKER_FAILURES", "2", "BREAKER_OPEN_FOR", "10m", "RETRY_BACKOFF", "10ms", "RETRY_MAX_BACKOFF", "20ms",
				"OWNER_HEARTBEAT", "5m", "STANDBY_AFTER", "10m") // so that no heartbeat writes the wait to the ledger
			maps.Copy(b.environ, test.environ)
			p := b.start("run")
			p.await(exported)
			next := b.status().Streams[0].Next
			b.await("status shows the wait", func() bool {
				next = b.status().Streams[0].Next
				return next.WaitsFor == test.waits && time.Until(next.At) > test.until/2
			})
			if left := time.Until(next.At); next.WaitsFor != test.waits || left < test.until/2 || left > test.until*3/2 {
				t.Errorf("waits for %s for %s, want %s for %s\n%s", next.WaitsFor, left, test.waits, test.until, p.log())
			}
			out, _ := b.run("status")
			expectText(t, out, append(test.says, "waits for "+test.waits+" until "+next.At.UTC().Format(time.RFC3339))...)
		})
	}
}

// TestLog_RepeatedFailures: a day that fails repeatedly has two lines in the log, in either
// format, and a dead letter for each failure.
func TestLog_RepeatedFailures(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "text"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 57, RowsPerDay: 5},
				Faults: func(exporttest.Call) *exporttest.Fault { return &exporttest.Fault{Code: schema.UnknownError} }})
			b.environ["STREAM_EVENTS_START"], b.environ["BREAKER_FAILURES"], b.environ["LOG_FORMAT"] = "0", "6", format
			_, got := b.run("run", "--once")
			if got.Code != 3 {
				t.Fatalf("exit %d:\n%s", got.Code, got.Stderr)
			}
			want := []string{"export 1", "export 5 repeated 3", "export 6"}
			if diff := cmp.Diff(want, failures(t, got.Stderr, format)); diff != "" {
				t.Errorf("lines of failed exports (-want +got):\n%s\n%s", diff, got.Stderr)
			}
			if n := len(b.deadLetters()); n != 6 {
				t.Errorf("%d dead letters, want 6", n)
			}
		})
	}
}

// failures returns the numbers of the failed exports in the log, with how many repeated lines
// each stands for.
func failures(t *testing.T, text, format string) []string {
	t.Helper()
	var list []string
	for line := range strings.Lines(text) {
		var l struct {
			Msg      string
			Export   int
			Repeated int
		}
		if format == "json" {
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				continue // the error with which the program ends
			}
		} else if strings.Contains(line, `msg="export ended"`) {
			l.Msg = "export ended"
			_, rest, _ := strings.Cut(line, " export=")
			if _, err := fmt.Sscan(rest, &l.Export); err != nil {
				t.Fatal(err)
			}
			if _, rest, ok := strings.Cut(line, " repeated="); ok {
				if _, err := fmt.Sscan(rest, &l.Repeated); err != nil {
					t.Fatal(err)
				}
			}
		}
		if l.Msg != "export ended" {
			continue
		}
		entry := fmt.Sprintf("export %d", l.Export)
		if l.Repeated > 0 {
			entry += fmt.Sprintf(" repeated %d", l.Repeated)
		}
		list = append(list, entry)
	}
	return list
}
