package admin_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"dfinery-kafka/cmd/admin"
	"dfinery-kafka/cmd/golden"
	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/schema"
)

// noon is the clock of the golden files.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func ptr[T any](v T) *T { return &v }

// full returns a view in which every metric and field has a value.
func full() admin.View {
	today := schema.DayOf(noon, time.UTC)
	return admin.View{
		Pipeline: pipeline.Status{
			Service: "1234", Role: pipeline.RoleOwner, Turned: noon.Add(-2 * time.Second), Remaining: map[string]time.Duration{"events": time.Hour},
			Streams: []pipeline.StreamStatus{
				{
					Name: "events", Topic: "dfinery.events", Columns: 40, LastSuccess: ptr(noon.Add(-90 * time.Second)), Published: 1041, Duplicates: 3100, DeadLetters: 3,
					Next:    &pipeline.NextStatus{Day: today, At: ptr(noon.Add(time.Minute)), WaitsFor: schema.WaitPoll},
					Untried: 5, IncompleteSince: ptr(noon.Add(-36 * time.Hour)),
					Days: []pipeline.DayStatus{
						{Day: today, State: ledger.Open, Exports: 4, Rows: 1041, Published: 1041, Missing: 0, Bad: 2},
						{Day: today - 1, State: ledger.Open, Exports: 2, Rows: 7, Published: 7, MissingEvents: []string{"df_purchase"}, Narrowed: true, Running: true},
						{Day: today - 3, State: ledger.Pending, Exports: 1, Error: ptr("timeout: the API did not answer")},
						{Day: today - 9, State: ledger.Settled, Exports: 3, Rows: 9, Published: 9},
						{Day: today - 30, State: ledger.Gap, Exports: 1, Error: ptr("query_error: the API's query failed")},
					},
				},
				{Name: "profiles", Snapshot: true, Profiles: &pipeline.ProfileStatus{
					Present: 990, Absent: 25, Withheld: 25, Why: "over_ceiling", LastComplete: ptr(noon.Add(-48 * time.Hour)), Partitions: 6, Scanned: 2900, Unused: 2, Poll: 24 * time.Hour,
				}, Topic: "dfinery.profiles", Paused: true, Halted: ptr("bad_header: no column df_unified_id"), Days: []pipeline.DayStatus{}},
			},
		},
		Totals: map[string]pipeline.StreamCounts{"events": {
			Exports: map[schema.Code]int64{"ok": 8, schema.QueryError: 2, "http_502": 1}, Published: 1041, Duplicates: 3100, BadRows: 2, Bytes: 1 << 20,
			Letters:       map[pipeline.LetterKind]int64{{Kind: schema.KindExport, Code: schema.QueryError}: 2, {Kind: schema.KindRow, Code: schema.FieldCount}: 2},
			ColumnChanges: 1, Gaps: 1,
		}},
		Produced: producer.Stats{Batches: 30, Records: 2082, Bytes: 500000, Retries: 4, InFlight: 2, Waiting: 0},
		Source: &limiter.Status{
			Breaker: limiter.BreakerStatus{State: "open", Failures: 5, Cause: "query_error", Until: noon.Add(time.Minute)},
			Quota:   limiter.QuotaStatus{Limit: 100, Remaining: 87, ResetsAt: noon.Add(31 * time.Minute)},
		},
		Transitions: map[limiter.Transition]int{{From: "closed", To: "open"}: 2, {From: "open", To: "half-open"}: 1, {From: "half-open", To: "closed"}: 1},
	}
}

func newServer(look func(time.Time) admin.View) *admin.Server {
	return &admin.Server{
		Addr: "127.0.0.1:0", Look: look, Streams: []string{"events", "profiles"}, Build: admin.Build{Version: "v1.2.3", Commit: "abc", Go: "go1.26"},
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon },
	}
}

func of(v admin.View) func(time.Time) admin.View { return func(time.Time) admin.View { return v } }

// ask makes a request.
func ask(s *admin.Server, path string) (int, string) {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func indented(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(text), "", "  "); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return b.String()
}

func TestStatus(t *testing.T) {
	t.Parallel()
	standby := full()
	standby.Pipeline.Role, standby.Pipeline.Owner = pipeline.RoleStandby, &ledger.Owner{Instance: "host-7"}
	refused := full()
	refused.Source.Token.Refused = true
	for name, view := range map[string]admin.View{
		"status-owner.json": full(), "status-standby.json": standby, "status-refused.json": refused,
		"status-starting.json": {Pipeline: pipeline.Status{Service: "1234", Role: pipeline.RoleStarting, Reasons: []string{"starting"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, body := ask(newServer(of(view)), "/status")
			if code != http.StatusOK {
				t.Errorf("status %d", code)
			}
			golden.Compare(t, filepath.Join("testdata", name), indented(t, body))
		})
	}
}

// ownMetrics removes the metrics of Go and of the process from a scrape.
func ownMetrics(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		name := strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE ")
		if strings.HasPrefix(name, "dfinery_") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	standby := full()
	standby.Pipeline.Role = pipeline.RoleStandby
	for name, view := range map[string]admin.View{
		"metrics-owner.txt": full(), "metrics-standby.txt": standby,
		"metrics-starting.txt": {Pipeline: pipeline.Status{Service: "1234", Role: pipeline.RoleStarting}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(of(view))
			s.Observe("events", 42*time.Second)
			code, body := ask(s, "/metrics")
			if code != http.StatusOK {
				t.Fatalf("status %d: %s", code, body)
			}
			golden.Compare(t, filepath.Join("testdata", name), ownMetrics(body))
			for _, other := range []string{"go_goroutines ", "process_resident_memory_bytes ", "promhttp_metric_handler_errors_total"} {
				if !strings.Contains(body, other) {
					t.Errorf("no %s among the metrics", other)
				}
			}
			problems, err := promlint.New(strings.NewReader(body)).Lint()
			for _, p := range problems {
				if p.Metric != "dfinery_days" { // it counts days, which the linter takes for a unit
					t.Errorf("lint: %s: %s", p.Metric, p.Text)
				}
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestMarkdown compares the documented metrics with those of a full scrape.
func TestMarkdown(t *testing.T) {
	t.Parallel()
	var listed, served []string
	for line := range strings.Lines(admin.Markdown()) {
		if cells := strings.Split(line, "|"); len(cells) > 4 && strings.Contains(cells[1], "dfinery_") {
			listed = append(listed, strings.Trim(cells[1], " `")+" "+strings.TrimSpace(cells[2])+" "+strings.TrimSpace(cells[4]))
		}
	}
	_, body := ask(newServer(of(full())), "/metrics")
	help := map[string]string{}
	for line := range strings.Lines(ownMetrics(body)) {
		fields := strings.SplitN(strings.TrimSpace(line), " ", 4)
		switch fields[1] {
		case "HELP":
			help[fields[2]] = fields[3]
		case "TYPE":
			served = append(served, fields[2]+" "+fields[3]+" "+help[fields[2]])
		}
	}
	sortStrings := cmp.Transformer("sorted", sorted)
	if diff := cmp.Diff(listed, served, sortStrings); diff != "" {
		t.Errorf("documented and served (-documented +served):\n%s", diff)
	}
}

func read(t *testing.T, r io.ReadCloser) string {
	t.Helper()
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}
