package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/schema"
)

// userOf makes a user without any right and has the program log in as it.
func (k *secureKafka) userOf(t *testing.T, rows int) *situation {
	t.Helper()
	s := k.reach(t, "SASL_PLAIN", rows)
	s.user(fmt.Sprintf("u%08x", rand.Uint32()), "password-of-a-test")
	return s
}

// grant makes access control lists.
func (s *situation) grant(b *kadm.ACLBuilder) {
	s.t.Helper()
	s.admin(func(ctx context.Context, c *kadm.Client) error {
		_, err := c.CreateACLs(ctx, b)
		return err
	})
}

// byTool carries a remedy out as it is printed, with Kafka's own tool, as an administrator.
func (s *situation) byTool(command string) {
	s.t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		s.t.Fatal(err)
	}
	words := strings.Fields(strings.Replace(command, s.environ["KAFKA_BROKERS"], s.brokers, 1))
	class := map[string]string{
		"kafka-acls.sh": "org.apache.kafka.tools.AclCommand", "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand", "kafka-configs.sh": "kafka.admin.ConfigCommand",
	}[words[0]]
	jars, err := filepath.Glob(filepath.Join(cache, "dfinery-kafka", "kafka-*"))
	if err != nil || len(jars) == 0 {
		s.t.Fatal("no jars of Kafka: ", err)
	}
	tool := exec.CommandContext(s.t.Context(), "java", append([]string{"-XX:TieredStopAtLevel=1", "-cp", jars[len(jars)-1] + "/*", class}, words[1:]...)...)
	if out, err := tool.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", command, err, out)
	}
	s.connected(caughtUp)
}

type report struct {
	OK     bool
	Checks []struct {
		Check, Status, Detail string
		Remedy                []string
	}
}

func (s *situation) report() report {
	s.t.Helper()
	out, _ := s.run("check", "--json")
	var r report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		s.t.Fatalf("%v:\n%s", err, out)
	}
	return r
}

// TestRightsAreExact grants what check asks for and nothing else, and does with it all that the program can do.
func TestRightsAreExact(t *testing.T) {
	k := newSecureKafka(t)
	s := k.userOf(t, 3000)
	for range 3 { // brokers that have just started do not answer everything at the first look
		for _, remedy := range s.remedies() {
			s.carryOut(remedy)
		}
	}
	var got []string
	s.ask(func(ctx context.Context, c *kadm.Client) error {
		described, err := c.DescribeACLs(ctx, kadm.NewACLs().AnyResource().Operations().Allow("User:"+s.environ["KAFKA_SASL_USERNAME"]).AllowHosts())
		for _, d := range described {
			for _, acl := range d.Described {
				got = append(got, fmt.Sprintf("%v %v %s", acl.Operation, acl.Type, strings.TrimPrefix(acl.Name, s.prefix)))
			}
		}
		return err
	})
	slices.Sort(got)
	golden(t, "testdata/secure/rights.txt", strings.Join(got, "\n")+"\n")

	s.ran()
	s.ran()
	compare(t, s.served(schema.Event), s.published("events"))
	for _, args := range [][]string{{"status"}, {"dlq", "list"}, {"pause", "events", "--wait", "0"}, {"backfill", "events", "--from", schema.DayOf(s.api.Calls()[0].At, seoul).String(), "--yes", "--wait", "0"}} {
		if out, got := s.run(args...); got.Code != 0 {
			t.Errorf("%v: exit %d:\n%s%s", args, got.Code, out, got.Stderr)
		}
	}
}

// TestRightsByPrefix grants what deploy/KAFKA.md offers as the short form.
func TestRightsByPrefix(t *testing.T) {
	k := newSecureKafka(t)
	s := k.userOf(t, 10)
	for _, acl := range []*kadm.ACLBuilder{
		kadm.NewACLs().Topics(s.prefix).Operations(kadm.OpRead, kadm.OpWrite, kadm.OpCreate, kadm.OpDescribeConfigs),
		kadm.NewACLs().TransactionalIDs(s.prefix + "ledger.").Operations(kadm.OpWrite),
	} {
		s.grant(acl.Allow("User:" + s.environ["KAFKA_SASL_USERNAME"]).AllowHosts().ResourcePatternType(kadm.ACLPatternPrefixed))
	}
	if r := s.report(); !r.OK {
		t.Errorf("check fails: %+v", r)
	}
	s.ran()
	compare(t, s.served(schema.Event), s.published("events"))
}

// TestEachRightIsNeeded grants all rights but one: check names it and nothing else, run says so, and the printed command mends it.
func TestEachRightIsNeeded(t *testing.T) {
	k := newSecureKafka(t)
	all := k.userOf(t, 10).report()
	var names []string
	for _, line := range all.Checks {
		if name, ok := strings.CutPrefix(line.Check, "right "); ok {
			names = append(names, name)
		}
	}
	for i := range names {
		t.Run(strings.ReplaceAll(generic(names[i]), " ", "-"), func(t *testing.T) {
			t.Parallel()
			s := k.userOf(t, 10)
			remedies := s.remedies()
			for j, remedy := range remedies {
				if j != i {
					s.carryOut(remedy)
				}
			}
			var missing []string
			status := ""
			for _, line := range s.report().Checks {
				if line.Status != "ok" && strings.HasPrefix(line.Check, "right ") {
					missing, status = append(missing, generic(line.Check)), line.Status
					if diff := cmp.Diff([]string{remedies[i]}, line.Remedy); diff != "" {
						t.Errorf("remedy (-want +got):\n%s", diff)
					}
				}
			}
			if diff := cmp.Diff([]string{"right " + generic(names[i])}, missing); diff != "" {
				t.Fatalf("missing rights (-want +got):\n%s", diff)
			}
			_, got := s.run("run", "--once")
			if optional := status == "warn"; optional != (got.Code == 0) || !optional && !strings.Contains(got.Stderr, "uthorization Failed") {
				t.Errorf("without a right that is a %s, exit %d:\n%s", status, got.Code, got.Stderr)
			}
			if strings.HasPrefix(names[i], "Write on transactional-id") {
				s.byTool(remedies[i])
			} else {
				s.carryOut(remedies[i])
			}
			if r := s.report(); !r.OK {
				t.Errorf("after the remedy check fails: %+v", r)
			}
			s.ran()
			compare(t, s.served(schema.Event), s.published("events"))
		})
	}
}

// TestRightsTakenAway takes the right to write one stream's topic away while the service runs: the other stream goes on, the log, status
// and check say what is missing, and once it is granted again every row is there once. Then the rights to what the service as a whole needs.
func TestRightsTakenAway(t *testing.T) {
	k := newSecureKafka(t)
	s := k.userOf(t, 10)
	var rows atomic.Int64
	rows.Store(100)
	s.api.Data.RowsOn = func(schema.Day) int { return int(rows.Load()) }
	s.environ["STREAMS"], s.environ["STREAM_MORE_TOPIC"], s.environ["STREAM_MORE_START"] = "events,more", s.prefix+"more", "0"
	s.environ["STREAM_EVENTS_START"], s.environ["STREAM_EVENTS_POLL_INTERVAL"], s.environ["STREAM_MORE_POLL_INTERVAL"] = "0", "200ms", "200ms"
	s.unbounded()
	for _, remedy := range s.remedies() {
		s.carryOut(remedy)
	}
	p := s.start(binary, nil, "run")
	p.await(`"msg":"export ended","stream":"events"`)
	p.await(`"msg":"export ended","stream":"more"`)
	published := func(stream string) bool {
		return int64(len(s.consume(s.prefix+stream, kgo.ReadCommitted()))) == rows.Load()
	}
	wait := func(what string, holds func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(200 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("not within a minute: %s\n%s", what, p.text())
			}
		}
	}
	all := func() bool { return published("events") && published("more") }
	wait("all rows are published", all)

	s.revoke(kadm.NewACLs().Topics(s.prefix + "events").Operations(kadm.OpWrite))
	rows.Store(200)
	wait("the other stream's rows are published", func() bool { return published("more") })
	wait("status says it", func() bool {
		out, got := s.run("status")
		return got.Code == 0 && strings.Contains(out, "  halted: ") && strings.Contains(out, "Topic Authorization Failed") && strings.Contains(out, "waits for halted")
	})
	var missing []string
	for _, line := range s.report().Checks {
		if line.Status == "fail" {
			missing = append(missing, line.Check)
		}
	}
	if diff := cmp.Diff([]string{"right Write on topic " + s.prefix + "events"}, missing); diff != "" {
		t.Errorf("what check says (-want +got):\n%s", diff)
	}
	expect(t, p.text(), `"msg":"a stream waits for its topic","stream":"events"`, "grant the right that is missing")
	s.giveBack()
	wait("the stream goes on", all)

	for _, topic := range []string{"ledger", "dead-letters"} {
		const said = `"do":"grant the right that is missing`
		before := strings.Count(p.text(), said)
		s.revoke(kadm.NewACLs().Topics(s.prefix + topic).Operations(kadm.OpWrite))
		p.awaitMore(said, before) // by a look at the topics, or by a write before it
		s.giveBack()
		rows.Add(100)
		wait("the service goes on", all)
	}
	p.kill()
	for _, stream := range []string{"events", "more"} {
		compare(t, s.served(schema.Event), s.published(stream))
	}
}

// revoke takes rights of the program away.
func (s *situation) revoke(b *kadm.ACLBuilder) {
	s.t.Helper()
	b.Allow("User:" + s.environ["KAFKA_SASL_USERNAME"]).AllowHosts().ResourcePatternType(kadm.ACLPatternLiteral)
	s.admin(func(ctx context.Context, c *kadm.Client) error {
		deleted, err := c.DeleteACLs(ctx, b)
		if err == nil && (len(deleted) != 1 || len(deleted[0].Deleted) != 1) {
			err = fmt.Errorf("revoked: %+v", deleted)
		}
		return err
	})
}

// giveBack grants what check misses, as it says.
func (s *situation) giveBack() {
	s.t.Helper()
	for _, remedy := range s.remedies() {
		if strings.HasPrefix(remedy, "kafka-acls.sh") {
			s.carryOut(remedy)
		}
	}
}

// generic takes the topics' prefix off.
func generic(name string) string {
	fields := strings.Split(name, " ")
	last := fields[len(fields)-1]
	_, rest, _ := strings.Cut(last, ".")
	fields[len(fields)-1] = rest
	return strings.Join(fields, " ")
}
