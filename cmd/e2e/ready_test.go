package e2e

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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

// TestReady: ready asks an admin server, and tells why it is not ready.
func TestReady(t *testing.T) {
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
		"an owner":                   {nil, []string{owner.URL}, result{}, "ready\n"},
		"an owner, or a stand-by":    {nil, []string{"--standby", owner.URL + "/"}, result{}, "ready\n"},
		"a stand-by that may be one": {nil, []string{"--standby", standby.URL}, result{}, "ready\n"},
		"a stand-by": {nil, []string{standby.URL},
			result{1, "dfinery-kafka: not ready\n  owner: another instance owns the service\n  ledger: the ledger is not restored\n"}, ""},
		"without Kafka": {nil, []string{"--standby", waiting.URL}, result{1, "dfinery-kafka: not ready\n  owner: the service is not taken over yet\n" +
			"  ledger: the ledger is not restored\n  kafka: dial tcp: refused\n"}, ""},
		"something else":       {nil, []string{other.URL}, result{1, "dfinery-kafka: " + other.URL + "/readyz is no instance of ours: 404 Not Found\n"}, ""},
		"this machine's":       {environ("0.0.0.0" + port), nil, result{}, "ready\n"},
		"this machine's, too":  {environ(port), nil, result{}, "ready\n"},
		"none":                 {environ(""), nil, result{2, "dfinery-kafka: ADMIN_ADDR is empty: there is no admin server to ask\n"}, ""},
		"an argument too many": {nil, []string{"a", "b"}, result{2, "dfinery-kafka: accepts at most 1 arg(s), received 2\n"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stdout, got := run(t, test.environ, append([]string{"ready"}, test.args...)...)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.stdout, stdout); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTwoReplicas: a rolling update and a second replica alike: both instances become ready, and the older as the stand-by alone.
func TestTwoReplicas(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Data: exporttest.Data{Seed: 1, RowsPerDay: 10}})
	b.environ["ADMIN_ADDR"] = "127.0.0.1:0"
	older := b.start(binary, nil, "run").console()
	older.awaitUnready()
	newer := b.start(binary, nil, "run").console()
	newer.awaitUnready()
	older.awaitUnready("owner", "ledger")
	for _, c := range []console{older, newer} {
		if _, got := b.run("ready", "--standby", "http://"+c.address); got.Code != 0 {
			t.Errorf("exit %d: %s", got.Code, got.Stderr)
		}
	}
	if _, got := b.run("ready", "http://"+older.address); got.Code != 1 {
		t.Errorf("the stand-by as an owner: exit %d: %s", got.Code, got.Stderr)
	}
}

// TestReadyWithoutKafka: no Kafka at the start, then one, then none again, then one.
func TestReadyWithoutKafka(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 52, RowsPerDay: 5}})
	b.environ["KAFKA_BROKERS"] = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	b.listen()
	p := b.start(binary, nil, "run")
	c := p.console()
	c.awaitUnready("owner", "ledger", "kafka")
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port))
	if err != nil {
		t.Fatal(err)
	}
	c.awaitUnready()
	kafka.Close()
	c.until("without Kafka", func() bool { return strings.Contains(strings.Join(c.unready(), ","), "kafka") })
	if code, body := c.get("/livez"); code != http.StatusOK {
		t.Errorf("/livez without Kafka: %d %s", code, body)
	}
}

// TestReadyAndToken: a refused token, then one that is taken.
func TestReadyAndToken(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 53, RowsPerDay: 5}})
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("an-older-one"), 0o600); err != nil {
		t.Fatal(err)
	}
	delete(b.environ, "DFINERY_EXPORT_TOKEN")
	b.environ["DFINERY_EXPORT_TOKEN_FILE"] = path
	b.listen()
	c := b.start(binary, nil, "run").console()
	c.awaitUnready("token")
	c.expectMetrics(map[string]float64{"dfinery_token_refused": 1, "dfinery_ready": 0, "dfinery_owner": 1})
	if err := os.WriteFile(path, []byte(canary), 0o600); err != nil {
		t.Fatal(err)
	}
	c.awaitUnready()
}

// TestReadyAndBreaker: an open breaker is no reason to take the instance out.
func TestReadyAndBreaker(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 54, RowsPerDay: 5},
		Faults: func(exporttest.Call) *exporttest.Fault { return &exporttest.Fault{Code: schema.UnknownError} }})
	b.environ["BREAKER_FAILURES"], b.environ["DFINERY_CONCURRENT_CALLS"] = "2", "1"
	b.listen()
	c := b.start(binary, nil, "run").console()
	c.until("two exports ended", func() bool {
		v, _ := c.metric(`dfinery_exports_total{code="unknown_error",stream="events"}`)
		return v == 2
	})
	c.awaitUnready()
	c.expectMetrics(map[string]float64{
		`dfinery_breaker_state{state="open"}`:                                            1,
		`dfinery_breaker_transitions_total{from="closed",to="open"}`:                     1,
		`dfinery_exports_total{code="unknown_error",stream="events"}`:                    2,
		`dfinery_days{state="pending",stream="events"}`:                                  3, // the third was not tried
		`dfinery_dead_letters_total{code="unknown_error",kind="export",stream="events"}`: 2,
	})
}

// TestReadyAndStandby: who was taken over from is alive and not ready, and says nothing of what is not its own any more.
func TestReadyAndStandby(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 55, RowsPerDay: 5}})
	b.listen()
	first := b.start(binary, nil, "run").console()
	first.awaitUnready()
	second := b.start(binary, nil, "run").console()
	second.awaitUnready()
	first.awaitUnready("owner", "ledger")
	first.expectMetrics(map[string]float64{"dfinery_owner": 0, "dfinery_ready": 0, "dfinery_quota_remaining": -1, `dfinery_days{state="open",stream="events"}`: -1})
	second.p.kill()
	first.awaitUnready()
	first.expectMetrics(map[string]float64{"dfinery_owner": 1, "dfinery_ready": 1})
}

// TestReadyAndStopping: a process that is told to end says so for as long as that takes, here because Kafka takes no records.
func TestReadyAndStopping(t *testing.T) {
	t.Parallel()
	kafka := embedded(t, kfake.NumBrokers(1))
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 56, RowsPerDay: 5}})
	b.environ["KAFKA_BROKERS"], b.environ["SHUTDOWN_TIMEOUT"] = kafka.ListenAddrs()[0], "3s"
	b.listen()
	p := b.start(binary, nil, "run")
	c := p.console()
	c.awaitUnready()
	kafka.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		kafka.KeepControl()
		return nil, errors.New("this broker takes no records"), true
	})
	c.awaitUnready("kafka")
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	c.awaitUnready("kafka", "process")
	<-p.done
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit %d:\n%s", code, p.text())
	}
}
