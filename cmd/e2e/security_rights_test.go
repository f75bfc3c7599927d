package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/cmd/golden"
	"dfinery-kafka/schema"
)

// TestRights_Exact grants exactly the rights that check asks for, and runs all commands with them.
func TestRights_Exact(t *testing.T) {
	k := newSecuredKafka(t)
	b := k.testbedWithoutRights(t, 3000)
	for range 3 { // brokers that have just started may return errors at first
		for _, remedy := range b.check().remedies() {
			b.runRemedy(remedy)
		}
	}
	var got []string
	b.query(func(ctx context.Context, c *kadm.Client) error {
		described, err := c.DescribeACLs(ctx, kadm.NewACLs().AnyResource().Operations().Allow("User:"+b.environ["KAFKA_SASL_USERNAME"]).AllowHosts())
		for _, d := range described {
			for _, acl := range d.Described {
				got = append(got, fmt.Sprintf("%v %v %s", acl.Operation, acl.Type, strings.TrimPrefix(acl.Name, b.prefix)))
			}
		}
		return err
	})
	slices.Sort(got)
	golden.Compare(t, "testdata/secure/rights.txt", strings.Join(got, "\n")+"\n")

	b.runOnce(0)
	b.runOnce(0)
	b.compareEvents()
	for _, args := range [][]string{{"status"}, {"dlq", "list"}, {"pause", "events", "--wait", "0"}, {"backfill", "events", "--from", schema.DayOf(b.api.Calls()[0].At, seoul).String(), "--yes", "--wait", "0"}} {
		if out, got := b.run(args...); got.Code != 0 {
			t.Errorf("%v: exit %d:\n%s%s", args, got.Code, out, got.Stderr)
		}
	}
}

// TestRights_ByPrefix grants the rights by prefix that deploy/KAFKA.md has as the short form.
func TestRights_ByPrefix(t *testing.T) {
	k := newSecuredKafka(t)
	b := k.testbedWithoutRights(t, 10)
	for _, acl := range []*kadm.ACLBuilder{
		kadm.NewACLs().Topics(b.prefix).Operations(kadm.OpRead, kadm.OpWrite, kadm.OpCreate, kadm.OpDescribeConfigs),
		kadm.NewACLs().TransactionalIDs(b.prefix + "ledger.").Operations(kadm.OpWrite),
	} {
		b.grant(acl.Allow("User:" + b.environ["KAFKA_SASL_USERNAME"]).AllowHosts().ResourcePatternType(kadm.ACLPatternPrefixed))
	}
	if r := b.check(); !r.OK {
		t.Errorf("check fails: %+v", r)
	}
	b.runOnce(0)
	b.compareEvents()
}

// TestRights_EachNeeded grants all rights but one: check reports only that one, run names it, and
// the printed command grants it.
func TestRights_EachNeeded(t *testing.T) {
	k := newSecuredKafka(t)
	all := k.testbedWithoutRights(t, 10).check()
	var names []string
	for _, line := range all.Checks {
		if name, ok := strings.CutPrefix(line.Check, "right "); ok {
			names = append(names, name)
		}
	}
	for i := range names {
		t.Run(strings.ReplaceAll(generic(names[i]), " ", "-"), func(t *testing.T) {
			t.Parallel()
			b := k.testbedWithoutRights(t, 10)
			remedies := b.check().remedies()
			for j, remedy := range remedies {
				if j != i {
					b.runRemedy(remedy)
				}
			}
			var missing []string
			status := ""
			for _, line := range b.check().Checks {
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
			_, got := b.run("run", "--once")
			if optional := status == "warn"; optional != (got.Code == 0) || !optional && !strings.Contains(got.Stderr, "uthorization Failed") {
				t.Errorf("without a right that is a %s, exit %d:\n%s", status, got.Code, got.Stderr)
			}
			if strings.HasPrefix(names[i], "Write on transactional-id") {
				b.runRemedyByTool(remedies[i])
			} else {
				b.runRemedy(remedies[i])
			}
			if r := b.check(); !r.OK {
				t.Errorf("after the remedy check fails: %+v", r)
			}
			b.runOnce(0)
			b.compareEvents()
		})
	}
}

// generic removes the topics' prefix from the name of a right.
func generic(name string) string {
	fields := strings.Split(name, " ")
	last := fields[len(fields)-1]
	_, rest, _ := strings.Cut(last, ".")
	fields[len(fields)-1] = rest
	return strings.Join(fields, " ")
}

// TestRights_Revoked revokes the right to write to one stream's topic while the service runs: the
// other stream continues, and log, status and check name the missing right. After it is granted
// again every row is published once. Then it revokes rights that the whole service needs.
func TestRights_Revoked(t *testing.T) {
	k := newSecuredKafka(t)
	b := k.testbedWithoutRights(t, 10)
	var rows atomic.Int64
	rows.Store(100)
	b.api.Data.RowsOn = func(schema.Day) int { return int(rows.Load()) }
	b.environ["STREAMS"], b.environ["STREAM_MORE_TOPIC"], b.environ["STREAM_MORE_START"] = "events,more", b.prefix+"more", "0"
	b.environ["STREAM_EVENTS_START"], b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_MORE_POLL_INTERVAL"] = "0", "200ms", "200ms"
	b.unlimited()
	for _, remedy := range b.check().remedies() {
		b.runRemedy(remedy)
	}
	p := b.start("run")
	p.await(`"msg":"export ended","stream":"events"`)
	p.await(`"msg":"export ended","stream":"more"`)
	published := func(stream string) bool {
		return int64(len(b.consume(stream, kgo.ReadCommitted()))) == rows.Load()
	}
	wait := func(what string, holds func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(200 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("timeout after a minute while waiting for: %s\n%s", what, p.log())
			}
		}
	}
	all := func() bool { return published("events") && published("more") }
	wait("all rows are published", all)

	b.revoke(kadm.NewACLs().Topics(b.prefix + "events").Operations(kadm.OpWrite))
	rows.Store(200)
	wait("the other stream's rows are published", func() bool { return published("more") })
	wait("status names it", func() bool {
		out, got := b.run("status")
		return got.Code == 0 && strings.Contains(out, "  halted: ") && strings.Contains(out, "Topic Authorization Failed") && strings.Contains(out, "waits for halted")
	})
	var missing []string
	for _, line := range b.check().Checks {
		if line.Status == "fail" {
			missing = append(missing, line.Check)
		}
	}
	if diff := cmp.Diff([]string{"right Write on topic " + b.prefix + "events"}, missing); diff != "" {
		t.Errorf("failed checks (-want +got):\n%s", diff)
	}
	expectText(t, p.log(), `"msg":"a stream waits for its topic","stream":"events"`, "grant the missing right")
	b.grantMissing()
	wait("the stream continues", all)

	for _, topic := range []string{"ledger", "dead-letters"} {
		const said = `"do":"grant the missing right`
		before := p.count(said)
		b.revoke(kadm.NewACLs().Topics(b.prefix + topic).Operations(kadm.OpWrite))
		p.awaitMore(said, before) // detected by a check of the topics or by a write
		b.grantMissing()
		rows.Add(100)
		wait("the service continues", all)
	}
	p.kill()
	for _, stream := range []string{"events", "more"} {
		compareRows(t, b.served(schema.Event), b.published(stream))
	}
}
