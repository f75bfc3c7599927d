package main_test

import (
	"encoding/json"
	"flag"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"dfinery-kafka/connector/exporttest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// situation is a cluster and an API as check may meet them.
type situation struct {
	*bench
	cluster *kadm.Client
}

// newSituation has three brokers whose defaults are those of a careful cluster, and the topics of a service that was run.
func newSituation(t *testing.T, options ...kfake.Opt) *situation {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{
		kfake.NumBrokers(3), kfake.EnableACLs(), kfake.Superuser("PLAIN", "admin", "admin-secret"),
		kfake.BrokerConfigs(map[string]string{"default.replication.factor": "3", "min.insync.replicas": "2", "unclean.leader.election.enable": "false"}),
	}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	b := newBench(t, &exporttest.Server{Data: exporttest.Data{Seed: 1, RowsPerDay: 10}})
	b.brokers = strings.Join(cluster.ListenAddrs(), ",")
	b.environ["KAFKA_BROKERS"] = b.brokers
	b.login("admin", "admin-secret")
	b.environ["STREAM_EVENTS_TOPIC"], b.environ["LEDGER_TOPIC"], b.environ["DEAD_LETTER_TOPIC"] = "events", "ledger", "letters"
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.SASL(plain.Auth{User: "admin", Pass: "admin-secret"}.AsMechanism()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &situation{bench: b, cluster: kadm.NewClient(client)}
}

func (b *bench) login(user, password string) {
	b.environ["KAFKA_SASL_MECHANISM"], b.environ["KAFKA_SASL_USERNAME"], b.environ["KAFKA_SASL_PASSWORD"] = "PLAIN", user, password
}

func (s *situation) ran() {
	s.t.Helper()
	if _, got := s.run("run", "--once"); got.Code != 0 {
		s.t.Fatalf("exit %d:\n%s", got.Code, got.Stderr)
	}
}

func (s *situation) alter(topic, config, value string) {
	s.t.Helper()
	answers, err := s.cluster.AlterTopicConfigs(s.t.Context(), []kadm.AlterConfig{{Name: config, Value: &value}}, topic)
	if err == nil {
		err = answers[0].Err
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *situation) create(topic string, partitions int32, configs ...string) {
	s.t.Helper()
	set := map[string]*string{}
	for i := 0; i < len(configs); i += 2 {
		set[configs[i]] = &configs[i+1]
	}
	if _, err := s.cluster.CreateTopic(s.t.Context(), partitions, -1, set, topic); err != nil {
		s.t.Fatal(err)
	}
}

// carryOut does what a remedy's command says, as Kafka's tools would.
func (s *situation) carryOut(command string) {
	s.t.Helper()
	words := strings.Fields(command)
	options := map[string][]string{}
	for i := 1; i+1 < len(words); i++ {
		if name, ok := strings.CutPrefix(words[i], "--"); ok && !strings.HasPrefix(words[i+1], "--") {
			options[name] = append(options[name], words[i+1])
		}
	}
	switch words[0] {
	case "kafka-configs.sh":
		name, value, _ := strings.Cut(options["add-config"][0], "=")
		s.alter(options["entity-name"][0], name, value)
	case "kafka-topics.sh":
		var configs []string
		for _, c := range options["config"] {
			name, value, _ := strings.Cut(c, "=")
			configs = append(configs, name, value)
		}
		s.create(options["topic"][0], 6, configs...)
	case "kafka-acls.sh":
		b := kadm.NewACLs().Allow(options["allow-principal"]...).AllowHosts().ResourcePatternType(kadm.ACLPatternLiteral)
		if names := options["topic"]; names != nil {
			b.Topics(names...)
		}
		if names := options["transactional-id"]; names != nil { // none at all would mean any
			b.TransactionalIDs(names...)
		}
		for _, name := range options["operation"] {
			b.Operations(map[string]kadm.ACLOperation{"Read": kadm.OpRead, "Write": kadm.OpWrite, "Create": kadm.OpCreate, "DescribeConfigs": kadm.OpDescribeConfigs}[name])
		}
		s.grant(b)
	default:
		s.t.Fatalf("%q is no command", command)
	}
}

var situations = map[string]struct {
	args []string
	make func(*situation)
	code int
	// mended says that the commands among the remedies, carried out, leave nothing to say.
	mended bool
}{
	"nothing was made yet": {make: func(*situation) {}},
	"after a run":          {make: (*situation).ran},
	"as JSON":              {args: []string{"--json"}, make: (*situation).ran},
	"a call":               {args: []string{"--call"}, make: func(*situation) {}},
	"an old variable":      {make: func(s *situation) { s.environ["KAFKA_OPTS"] = "-Xmx1g" }},
	"a wrong token": {args: []string{"--call"}, code: 1, make: func(s *situation) {
		s.environ["DFINERY_EXPORT_TOKEN"] = "another-" + canary
	}},
	"a spent quota": {args: []string{"--call"}, make: func(s *situation) {
		s.environ["DFINERY_CALLS_PER_HOUR"], s.environ["STREAM_EVENTS_POLL_INTERVAL"], s.environ["STREAM_EVENTS_LOOKBACK"] = "3", "1h", "0"
		s.run("run", "--once") // it ends with work left
	}},
	"an API that looks exclusive": {args: []string{"--call"}, make: func(s *situation) { s.change(func(api *exporttest.Server) { api.ToDateExclusive = true }) }},
	"an API that looks inclusive": {args: []string{"--call"}, code: 1, make: func(s *situation) { s.environ["DFINERY_TO_DATE"] = "exclusive" }},
	"no key column": {args: []string{"--call"}, code: 1, make: func(s *situation) {
		s.environ["STREAM_EVENTS_KEY"] = "customer"
	}},
	"an API that nobody serves": {code: 1, make: func(s *situation) { s.environ["DFINERY_BASE_URL"] = "http://" + closedPort(s.t) }},
	"an API without a name":     {code: 1, make: func(s *situation) { s.environ["DFINERY_BASE_URL"] = "https://api.invalid" }},
	"an API of another CA": {code: 1, make: func(s *situation) {
		server := httptest.NewUnstartedServer(s.api)
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		s.t.Cleanup(server.Close)
		s.environ["DFINERY_BASE_URL"] = server.URL
	}},
	"a proxy that nobody serves": {code: 1, make: func(s *situation) {
		s.environ["DFINERY_BASE_URL"], s.environ["HTTPS_PROXY"] = "https://openapi.example", "http://user:"+canary+"@"+closedPort(s.t)
	}},
	"an API whose clock is ahead": {make: func(s *situation) {
		s.change(func(api *exporttest.Server) { api.Clock = func() time.Time { return time.Now().Add(2 * time.Minute) } })
	}},
	"an API whose clock is far behind": {code: 1, make: func(s *situation) {
		s.change(func(api *exporttest.Server) { api.Clock = func() time.Time { return time.Now().Add(-3 * time.Hour) } })
	}},
	"no broker":               {code: 1, make: func(s *situation) { s.environ["KAFKA_BROKERS"] = closedPort(s.t) }},
	"one broker of two":       {make: func(s *situation) { s.environ["KAFKA_BROKERS"] += "," + closedPort(s.t) }},
	"a broker without a name": {code: 1, make: func(s *situation) { s.environ["KAFKA_BROKERS"] = "kafka.invalid:9092" }},
	"no Kafka": {code: 1, make: func(s *situation) {
		s.environ["KAFKA_BROKERS"] = strings.TrimPrefix(s.environ["DFINERY_BASE_URL"], "http://")
	}},
	"TLS to a plain listener": {code: 1, make: func(s *situation) { s.environ["KAFKA_TLS"] = "true" }},
	"a wrong password":        {code: 1, make: func(s *situation) { s.login("admin", canary) }},
	"no login": {code: 1, make: func(s *situation) {
		delete(s.environ, "KAFKA_SASL_MECHANISM")
		delete(s.environ, "KAFKA_SASL_USERNAME")
		delete(s.environ, "KAFKA_SASL_PASSWORD")
	}},
	"no rights, no topics": {code: 1, mended: true, make: func(s *situation) { s.user("dfinery", "dfinery-secret") }},
	"no rights":            {code: 1, mended: true, make: func(s *situation) { s.ran(); s.user("dfinery", "dfinery-secret") }},
	"no topics, none to be made": {code: 1, mended: true, make: func(s *situation) {
		s.environ["KAFKA_CREATE_TOPICS"] = "false"
	}},
	"too many replicas": {code: 1, make: func(s *situation) { s.environ["KAFKA_REPLICATION_FACTOR"] = "5" }},
	"a ledger that forgets": {code: 1, mended: true, make: func(s *situation) {
		s.ran()
		s.alter("ledger", "cleanup.policy", "delete")
		s.alter("ledger.rows", "retention.ms", "86400000")
		s.alter("ledger.rows", "retention.bytes", "1000000")
	}},
	"topics that forget": {mended: true, make: func(s *situation) {
		s.ran()
		s.alter("events", "cleanup.policy", "compact")
		s.alter("letters", "retention.ms", "3600000")
	}},
	"topics that lose": {mended: true, make: func(s *situation) {
		s.ran()
		s.alter("events", "min.insync.replicas", "1")
		s.alter("letters", "unclean.leader.election.enable", "true")
		s.alter("ledger", "message.timestamp.type", "CreateTime")
		s.alter("ledger.rows", "min.insync.replicas", "3")
	}},
	"a ledger with partitions added": {code: 1, make: func(s *situation) {
		s.ran()
		if _, err := s.cluster.CreatePartitions(s.t.Context(), 7, "ledger"); err != nil {
			s.t.Fatal(err)
		}
	}},
	"at least once": {make: func(s *situation) { s.environ["DELIVERY"] = "at-least-once"; s.ran() }},
}

func (s *situation) user(name, password string) {
	s.t.Helper()
	_, err := s.cluster.AlterUserSCRAMs(s.t.Context(), nil, []kadm.UpsertSCRAM{{User: name, Mechanism: kadm.ScramSha256, Iterations: 4096, Password: password}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.login(name, password)
	s.environ["KAFKA_SASL_MECHANISM"] = "SCRAM-SHA-256"
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, test := range situations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSituation(t)
			test.make(s)
			args := append([]string{"check"}, test.args...)
			out, got := s.run(args...)
			if got.Code != test.code {
				t.Errorf("exit %d, want %d:\n%s%s", got.Code, test.code, out, got.Stderr)
			}
			golden(t, "testdata/check/"+strings.NewReplacer(" ", "-", ",", "").Replace(name)+".txt", s.plain(out+got.Stderr))
			if !test.mended {
				return
			}
			for _, remedy := range s.remedies() {
				s.carryOut(remedy)
			}
			if out, got := s.run("check"); got.Code != 0 || strings.Contains(out, "→") {
				t.Errorf("after the remedies, exit %d:\n%s", got.Code, out)
			}
			s.ran()
		})
	}
}

// remedies are the commands that check prints.
func (s *situation) remedies() []string {
	s.t.Helper()
	out, _ := s.run("check", "--json")
	var report struct {
		Checks []struct{ Remedy []string }
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		s.t.Fatal(err)
	}
	var commands []string
	for _, line := range report.Checks {
		commands = append(commands, line.Remedy...)
	}
	return commands
}

// TestCheckBesideTheOwner shows that an owner goes on through checks.
func TestCheckBesideTheOwner(t *testing.T) {
	t.Parallel()
	s := newSituation(t)
	s.environ["STREAM_EVENTS_POLL_INTERVAL"], s.environ["DFINERY_CALLS_PER_HOUR"] = "200ms", "100000"
	owner := s.start(binary, nil, "run")
	owner.await(`"msg":"owner"`)
	calls := func(more int) {
		for before := len(s.api.Calls()); len(s.api.Calls()) < before+more; {
			select {
			case <-time.After(20 * time.Millisecond):
			case <-owner.done:
				t.Fatalf("the owner ended:\n%s", owner.text())
			case <-t.Context().Done():
				t.Fatalf("the owner makes no more calls:\n%s", owner.text())
			}
		}
	}
	calls(5)
	for range 3 {
		if out, got := s.run("check", "--call"); got.Code != 0 || !strings.Contains(out, "is the owner") {
			t.Errorf("exit %d:\n%s", got.Code, out)
		}
		calls(3)
	}
	if strings.Contains(owner.text(), "fenced") || strings.Contains(owner.text(), "stand-by") {
		t.Errorf("the owner was disturbed:\n%s", owner.text())
	}
}

// plain takes out of a text what differs from run to run.
func (s *situation) plain(text string) string {
	for _, r := range []struct{ pattern, with string }{
		{`127\.0\.0\.1:\d+(,127\.0\.0\.1:\d+)*`, "HOST:PORT"},
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, "TIME"},
		{`\d{4}-\d\d-\d\d`, "DATE"},
		{`[-\w.]+-\d+-[0-9a-f]{11} on [-\w.]+`, "INSTANCE on MACHINE"},
		{`on \S+: no such host`, "no such host"},
		{`dial tcp: lookup (\S+?)( on \S+)?: .*`, "dial tcp: lookup $1: …"},
		{`read tcp \S+: i/o timeout|context deadline exceeded`, "no answer in time"},
		{`\bEOF\b|read tcp \S+: .*?reset by peer`, "…"},
		{`(\d+h)?(\d+m)?\d+s (ahead|behind)`, "SOME TIME $3"},
		{`"\d+":`, `"N":`},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.with)
	}
	// Which of several brokers is named first depends on their ports.
	lines := strings.Split(text, "\n")
	return strings.Join(slices.Compact(lines), "\n")
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
