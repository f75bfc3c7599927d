package e2e

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/cmd/admin"
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/schema"
)

func viewOf(role string, reasons []string) func(time.Time) admin.View {
	return func(now time.Time) admin.View {
		return admin.View{Pipeline: pipeline.Status{Service: "1234", Role: role, Reasons: reasons, Turned: now}}
	}
}

// TestReady_Command runs "ready" with admin servers in several states, and compares its exit code
// and output.
func TestReady_Command(t *testing.T) {
	t.Parallel()
	server := func(role string, reasons ...string) *httptest.Server {
		s := httptest.NewServer((&admin.Server{Look: viewOf(role, reasons)}).Handler())
		t.Cleanup(s.Close)
		return s
	}
	owner, standby, waiting := server(pipeline.RoleOwner), server(pipeline.RoleStandby), server(pipeline.RoleWaiting, "dial tcp: refused")
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	environ := func(address string) []string {
		return []string{"DFINERY_SERVICE_ID=1234", "DFINERY_EXPORT_TOKEN=" + canary, "KAFKA_BROKERS=kafka:9092", "ADMIN_ADDR=" + address}
	}
	port := owner.URL[strings.LastIndex(owner.URL, ":"):]
	for name, test := range map[string]struct {
		environ []string
		args    []string
		want    result
		stdout  string
	}{
		"an owner":                  {nil, []string{owner.URL}, result{}, "ready\n"},
		"an owner, or a standby":    {nil, []string{"--standby", owner.URL + "/"}, result{}, "ready\n"},
		"a standby that may be one": {nil, []string{"--standby", standby.URL}, result{}, "ready\n"},
		"a standby": {nil, []string{standby.URL},
			result{1, "dfinery-kafka: not ready\n  owner: another instance owns the service\n  ledger: the ledger is not restored\n"}, ""},
		"without Kafka": {nil, []string{"--standby", waiting.URL}, result{1, "dfinery-kafka: not ready\n  owner: the service is not taken over yet\n" +
			"  ledger: the ledger is not restored\n  kafka: dial tcp: refused\n"}, ""},
		"something else":       {nil, []string{other.URL}, result{1, "dfinery-kafka: " + other.URL + "/readyz is not answered by dfinery-kafka: 404 Not Found\n"}, ""},
		"this machine's":       {environ("0.0.0.0" + port), nil, result{}, "ready\n"},
		"this machine's, too":  {environ(port), nil, result{}, "ready\n"},
		"none":                 {environ(""), nil, result{2, "dfinery-kafka: ADMIN_ADDR is empty: there is no admin server to ask\n"}, ""},
		"an argument too many": {nil, []string{"a", "b"}, result{2, "dfinery-kafka: accepts at most 1 arg(s), received 2\n"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stdout, got := runProgram(t, binary, test.environ, append([]string{"ready"}, test.args...)...)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.stdout, stdout); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
		})
	}
}

// TestReady_TwoReplicas starts a second instance, as in a rolling update: both become ready, the
// older one as a standby.
func TestReady_TwoReplicas(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 1, RowsPerDay: 10}})
	b.environ["ADMIN_ADDR"] = "127.0.0.1:0"
	older := b.start("run").admin()
	older.awaitNotReady()
	newer := b.start("run").admin()
	newer.awaitNotReady()
	older.awaitNotReady("owner", "ledger")
	for _, c := range []adminClient{older, newer} {
		if _, got := b.run("ready", "--standby", "http://"+c.address); got.Code != 0 {
			t.Errorf("exit %d: %s", got.Code, got.Stderr)
		}
	}
	if _, got := b.run("ready", "http://"+older.address); got.Code != 1 {
		t.Errorf("ready of the standby, if an owner is required: exit %d: %s", got.Code, got.Stderr)
	}
}

// TestReady_KafkaUnreachable starts the program without Kafka, then starts, stops and restarts
// Kafka: readiness follows.
func TestReady_KafkaUnreachable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 52, RowsPerDay: 5}})
	b.environ["KAFKA_BROKERS"] = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	b.withAdminServer()
	p := b.start("run")
	c := p.admin()
	c.awaitNotReady("owner", "ledger", "kafka")
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port))
	if err != nil {
		t.Fatal(err)
	}
	c.awaitNotReady()
	kafka.Close()
	c.await("without Kafka", func() bool { return strings.Contains(strings.Join(c.notReady(), ","), "kafka") })
	if code, body := c.get("/livez"); code != http.StatusOK {
		t.Errorf("/livez without Kafka: %d %s", code, body)
	}
}

// TestReady_TokenRefused: the program is not ready with a refused token, and ready with an
// accepted one.
func TestReady_TokenRefused(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 53, RowsPerDay: 5}})
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("an-older-one"), 0o600); err != nil {
		t.Fatal(err)
	}
	delete(b.environ, "DFINERY_EXPORT_TOKEN")
	b.environ["DFINERY_EXPORT_TOKEN_FILE"] = path
	b.withAdminServer()
	c := b.start("run").admin()
	c.awaitNotReady("token")
	c.expectMetrics(map[string]float64{"dfinery_token_refused": 1, "dfinery_ready": 0, "dfinery_owner": 1})
	if err := os.WriteFile(path, []byte(canary), 0o600); err != nil {
		t.Fatal(err)
	}
	c.awaitNotReady()
}

// TestReady_BreakerOpen: the program is ready while the breaker is open.
func TestReady_BreakerOpen(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 54, RowsPerDay: 5},
		Faults: func(exporttest.Call) *exporttest.Fault { return &exporttest.Fault{Code: schema.UnknownError} }})
	b.environ["BREAKER_FAILURES"], b.environ["DFINERY_CONCURRENT_CALLS"] = "2", "1"
	b.withAdminServer()
	c := b.start("run").admin()
	c.await("two exports ended", func() bool {
		v, _ := c.metric(`dfinery_exports_total{code="unknown_error",stream="events"}`)
		return v == 2
	})
	c.awaitNotReady()
	c.expectMetrics(map[string]float64{
		`dfinery_breaker_state{state="open"}`:                                            1,
		`dfinery_breaker_transitions_total{from="closed",to="open"}`:                     1,
		`dfinery_exports_total{code="unknown_error",stream="events"}`:                    2,
		`dfinery_days{state="pending",stream="events"}`:                                  3, // the third was not attempted
		`dfinery_dead_letters_total{code="unknown_error",kind="export",stream="events"}`: 2,
	})
}

// TestReady_Standby: after another instance took over, the former owner is alive but not ready,
// and does not serve the metrics of an owner.
func TestReady_Standby(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 55, RowsPerDay: 5}})
	b.withAdminServer()
	first := b.start("run").admin()
	first.awaitNotReady()
	second := b.start("run").admin()
	second.awaitNotReady()
	first.awaitNotReady("owner", "ledger")
	first.expectMetrics(map[string]float64{"dfinery_owner": 0, "dfinery_ready": 0, "dfinery_quota_remaining": -1, `dfinery_days{state="open",stream="events"}`: -1})
	second.p.kill()
	first.awaitNotReady()
	first.expectMetrics(map[string]float64{"dfinery_owner": 1, "dfinery_ready": 1})
}

// TestReady_Stopping: /readyz reports that the process is stopping for as long as that takes,
// here because Kafka accepts no records.
func TestReady_Stopping(t *testing.T) {
	t.Parallel()
	b, kafka := newScripted(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 56, RowsPerDay: 5}})
	b.set("SHUTDOWN_TIMEOUT", "3s")
	b.withAdminServer()
	p := b.start("run")
	c := p.admin()
	c.awaitNotReady()
	kafka.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		kafka.KeepControl()
		return nil, errors.New("this broker takes no records"), true
	})
	c.awaitNotReady("kafka")
	p.signal(syscall.SIGTERM)
	c.awaitNotReady("kafka", "process")
	p.expectExit(0)
}

// TestAdmin_Figures compares metrics and /status of a running service with the calls to the
// simulated API and the records in Kafka.
func TestAdmin_Figures(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 51, RowsPerDay: 60}})
	b.pollEvery("1h")
	b.withAdminServer()
	p := b.start("run")
	c := p.admin()
	p.awaitMore(`"code":"ok"`, 2)
	c.awaitNotReady()
	c.await("three days", func() bool { v, _ := c.metric(`dfinery_exports_total{code="ok",stream="events"}`); return v == 3 })
	c.expectMetrics(map[string]float64{
		`dfinery_rows_total{result="published",stream="events"}`:   180,
		`dfinery_rows_total{result="duplicate",stream="events"}`:   0,
		`dfinery_rows_total{result="dead_letter",stream="events"}`: 0,
		`dfinery_export_duration_seconds_count{stream="events"}`:   3,
		`dfinery_breaker_state{state="closed"}`:                    1,
		`dfinery_breaker_state{state="open"}`:                      0,
		`dfinery_quota_remaining`:                                  97,
		`dfinery_quota_limit`:                                      100,
		`dfinery_days{state="open",stream="events"}`:               3,
		`dfinery_reach_remaining_seconds{stream="events"}`:         -1,
		`dfinery_owner`:           1,
		`dfinery_ready`:           1,
		`dfinery_produce_waiting`: 0,
		`dfinery_dead_letters_total{stream="events"}`:                -1,
		`dfinery_stream_paused{stream="events"}`:                     0,
		`dfinery_token_refused`:                                      0,
		`dfinery_breaker_transitions_total{from="closed",to="open"}`: 0,
	})
	_, body := c.get("/status")
	got := decodeStatus(t, body)
	if len(got.Streams) != 1 {
		t.Fatalf("/status: %s", body)
	}
	want := got
	want.Service, want.Role, want.Ready = "1234", "owner", true
	want.Streams = slices.Clone(got.Streams)
	want.Streams[0].Name, want.Streams[0].Published, want.Streams[0].Days = "events", 180, nil
	for day := currentDay(); len(want.Streams[0].Days) < 3; day-- {
		want.Streams[0].Days = append(want.Streams[0].Days, statusDay{Day: day.String(), State: "open", Rows: 60, Published: 60, Exports: 1})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("/status (-want +got):\n%s", diff)
	}
}

// TestAdmin_PortInUse: if the port is in use, run fails with an error that names ADMIN_ADDR.
func TestAdmin_PortInUse(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b.environ["ADMIN_ADDR"] = l.Addr().String()
	_, got := b.run("run", "--once")
	if _, line, ok := strings.Cut(got.Stderr, `"msg":"starting"`); ok {
		_, got.Stderr, _ = strings.Cut(line, "\n")
	}
	want := "dfinery-kafka: ADMIN_ADDR: admin server: listen tcp " + l.Addr().String() + ": bind: address already in use\n"
	if diff := cmp.Diff(result{1, want}, got); diff != "" {
		t.Errorf("exit (-want +got):\n%s", diff)
	}
}
