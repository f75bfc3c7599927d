package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// newACLTestbed returns a service on three embedded brokers with an authorizer. The program
// logs in as a user with all rights.
func newACLTestbed(t *testing.T) *testbed {
	t.Helper()
	cluster := embedded(t, kfake.NumBrokers(3), kfake.EnableACLs(), kfake.Superuser("PLAIN", "admin", "admin-secret"),
		kfake.BrokerConfigs(map[string]string{"default.replication.factor": "3", "min.insync.replicas": "2", "unclean.leader.election.enable": "false"}))
	b := newTestbedOn(t, &exporttest.Server{Data: exporttest.Data{Seed: 1, RowsPerDay: 10}}, strings.Join(cluster.ListenAddrs(), ","))
	b.prefix = ""
	delete(b.environ, "KAFKA_PARTITIONS") // as README and check show it
	b.login("admin", "admin-secret")
	b.set("STREAM_EVENTS_TOPIC", "events", "LEDGER_TOPIC", "ledger", "DEAD_LETTER_TOPIC", "letters")
	b.admins = []kgo.Opt{kgo.SASL(plain.Auth{User: "admin", Pass: "admin-secret"}.AsMechanism())}
	return b
}

func (b *testbed) login(user, password string) {
	b.set("KAFKA_SASL_MECHANISM", "PLAIN", "KAFKA_SASL_USERNAME", user, "KAFKA_SASL_PASSWORD", password)
}

// loginAsNewUser creates a user without rights, as which the program then logs in.
func (b *testbed) loginAsNewUser(name, password string) {
	b.t.Helper()
	b.administer(func(ctx context.Context, c *kadm.Client) error {
		altered, err := c.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{{User: name, Mechanism: kadm.ScramSha256, Iterations: 4096, Password: password}})
		return errors.Join(err, altered.Error())
	})
	b.login(name, password)
	b.set("KAFKA_SASL_MECHANISM", "SCRAM-SHA-256")
}

// grant creates access control lists.
func (b *testbed) grant(acls *kadm.ACLBuilder) {
	b.t.Helper()
	b.administer(func(ctx context.Context, c *kadm.Client) error {
		created, err := c.CreateACLs(ctx, acls)
		for _, acl := range created {
			if err == nil && acl.Err != nil {
				err = fmt.Errorf("%v on %s: %w %s", acl.Operation, acl.Name, acl.Err, acl.ErrMessage)
			}
		}
		return err
	})
}

// revoke revokes a right of the program's user.
func (b *testbed) revoke(acls *kadm.ACLBuilder) {
	b.t.Helper()
	acls.Allow("User:" + b.environ["KAFKA_SASL_USERNAME"]).AllowHosts().ResourcePatternType(kadm.ACLPatternLiteral)
	b.administer(func(ctx context.Context, c *kadm.Client) error {
		deleted, err := c.DeleteACLs(ctx, acls)
		if err == nil && (len(deleted) != 1 || len(deleted[0].Deleted) != 1) {
			err = fmt.Errorf("revoked: %+v", deleted)
		}
		return err
	})
}

// checkReport is the output of "check --json".
type checkReport struct {
	OK     bool
	Checks []struct {
		Check, Status, Detail string
		Remedy                []string
	}
}

// remedies returns the commands that the checks print.
func (r checkReport) remedies() (commands []string) {
	for _, check := range r.Checks {
		commands = append(commands, check.Remedy...)
	}
	return commands
}

// failed returns the failed checks as text.
func (r checkReport) failed() string {
	var text strings.Builder
	for _, check := range r.Checks {
		if check.Status == "fail" {
			fmt.Fprintf(&text, "%s: %s\n→ %s\n", check.Check, check.Detail, strings.Join(check.Remedy, "\n→ "))
		}
	}
	return text.String()
}

// check runs "check --json".
func (b *testbed) check() checkReport {
	b.t.Helper()
	out, _ := b.run("check", "--json")
	return decodeCheck(b.t, out)
}

func decodeCheck(t *testing.T, out string) checkReport {
	t.Helper()
	var r checkReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	return r
}

// grantMissing grants the rights that check reports as missing, by the commands it prints.
func (b *testbed) grantMissing() {
	b.t.Helper()
	for _, remedy := range b.check().remedies() {
		if strings.HasPrefix(remedy, "kafka-acls.sh") {
			b.runRemedy(remedy)
		}
	}
}

// runRemedy applies a command that check printed.
func (b *testbed) runRemedy(command string) {
	b.t.Helper()
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
		b.administer(func(ctx context.Context, c *kadm.Client) error {
			return setTopicConfig(ctx, c, options["entity-name"][0], name, value)
		})
	case "kafka-topics.sh":
		config := map[string]string{}
		for _, c := range options["config"] {
			name, value, _ := strings.Cut(c, "=")
			config[name] = value
		}
		b.administer(func(ctx context.Context, c *kadm.Client) error {
			return createTopic(ctx, c, options["topic"][0], 6, config)
		})
	case "kafka-acls.sh":
		acls := kadm.NewACLs().Allow(options["allow-principal"]...).AllowHosts().ResourcePatternType(kadm.ACLPatternLiteral)
		if names := options["topic"]; names != nil {
			acls.Topics(names...)
		}
		if names := options["transactional-id"]; names != nil { // without names it would apply to all
			acls.TransactionalIDs(names...)
		}
		for _, name := range options["operation"] {
			acls.Operations(map[string]kadm.ACLOperation{"Read": kadm.OpRead, "Write": kadm.OpWrite, "Create": kadm.OpCreate, "DescribeConfigs": kadm.OpDescribeConfigs}[name])
		}
		b.grant(acls)
	default:
		b.t.Fatalf("unknown command in a remedy: %q", command)
	}
}

// runRemedyByTool runs a command that check printed with Kafka's command-line tool, as an
// administrator.
func (b *testbed) runRemedyByTool(command string) {
	b.t.Helper()
	words := strings.Fields(strings.Replace(command, b.environ["KAFKA_BROKERS"], b.brokers, 1))
	class := map[string]string{
		"kafka-acls.sh": "org.apache.kafka.tools.AclCommand", "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand", "kafka-configs.sh": "kafka.admin.ConfigCommand",
	}[words[0]]
	tool := exec.CommandContext(b.t.Context(), "java", append([]string{"-XX:TieredStopAtLevel=1", "-cp", kafkaJars(b.t), class}, words[1:]...)...)
	if out, err := tool.CombinedOutput(); err != nil {
		b.t.Fatalf("%s: %v\n%s", command, err, out)
	}
	b.withClient(func(ctx context.Context, client *kgo.Client) error { return awaitBrokers(ctx, client) })
}

// kafkaJars returns the class path of the newest Kafka that deploy/kafka-up.sh has downloaded.
func kafkaJars(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(cache, "dfinery-kafka", "kafka-*"))
	if err != nil || len(found) == 0 {
		t.Fatal("deploy/kafka-up.sh has not downloaded Kafka's jars:  ", err)
	}
	return filepath.Join(slices.Max(found), "*")
}

// varying matches the parts of check's output that differ between runs.
var varying = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`127\.0\.0\.1:\d+(,127\.0\.0\.1:\d+)*`), "HOST:PORT"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "TIME"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d`), "DATE"},
	{regexp.MustCompile(`[-\w.]+-\d+-[0-9a-f]{11} on [-\w.]+`), "INSTANCE on MACHINE"},
	{regexp.MustCompile(`on \S+: no such host`), "no such host"},
	{regexp.MustCompile(`dial tcp: lookup (\S+?)( on \S+)?: .*`), "dial tcp: lookup $1: …"},
	{regexp.MustCompile(`read tcp \S+: i/o timeout|context deadline exceeded`), "no answer in time"},
	{regexp.MustCompile(`\bEOF\b|read tcp \S+: .*?reset by peer`), "…"},
	{regexp.MustCompile(`(\d+h)?(\d+m)?\d+s (ahead|behind)`), "SOME TIME $3"},
	{regexp.MustCompile(`"\d+":`), `"N":`},
}

// normalize replaces the parts of check's output that differ between runs.
func normalize(text string) string {
	for _, v := range varying {
		text = v.pattern.ReplaceAllString(text, v.with)
	}
	// Which of several brokers is named first depends on their ports.
	return strings.Join(slices.Compact(strings.Split(text, "\n")), "\n")
}
