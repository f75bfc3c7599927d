package main_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/admin"
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline"
)

func viewOf(role string, reasons []string) func(time.Time) admin.View {
	return func(now time.Time) admin.View {
		return admin.View{Pipeline: pipeline.Status{Service: "1234", Role: role, Reasons: reasons, Turned: now}}
	}
}

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
