package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"dfinery-kafka/connector/exporttest"
)

// situation is a cluster and an API as check may meet them.
type situation struct{ *bench }

// newSituation has three brokers whose defaults are those of a careful cluster, and the topics of a service that was run.
func newSituation(t *testing.T, options ...kfake.Opt) *situation {
	t.Helper()
	cluster := embedded(t, append([]kfake.Opt{
		kfake.NumBrokers(3), kfake.EnableACLs(), kfake.Superuser("PLAIN", "admin", "admin-secret"),
		kfake.BrokerConfigs(map[string]string{"default.replication.factor": "3", "min.insync.replicas": "2", "unclean.leader.election.enable": "false"}),
	}, options...)...)
	b := newBench(t, &exporttest.Server{Data: exporttest.Data{Seed: 1, RowsPerDay: 10}})
	b.brokers = strings.Join(cluster.ListenAddrs(), ",")
	b.environ["KAFKA_BROKERS"] = b.brokers
	b.prefix = ""
	b.login("admin", "admin-secret")
	b.environ["STREAM_EVENTS_TOPIC"], b.environ["LEDGER_TOPIC"], b.environ["DEAD_LETTER_TOPIC"] = "events", "ledger", "letters"
	b.admins = []kgo.Opt{kgo.SASL(plain.Auth{User: "admin", Pass: "admin-secret"}.AsMechanism())}
	return &situation{b}
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
		s.admin(func(ctx context.Context, c *kadm.Client) error {
			return configure(ctx, c, options["entity-name"][0], name, value)
		})
	case "kafka-topics.sh":
		config := map[string]string{}
		for _, c := range options["config"] {
			name, value, _ := strings.Cut(c, "=")
			config[name] = value
		}
		s.admin(func(ctx context.Context, c *kadm.Client) error { return create(ctx, c, options["topic"][0], 6, config) })
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

func (s *situation) user(name, password string) {
	s.t.Helper()
	s.admin(func(ctx context.Context, c *kadm.Client) error {
		altered, err := c.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{{User: name, Mechanism: kadm.ScramSha256, Iterations: 4096, Password: password}})
		return errors.Join(err, altered.Error())
	})
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
