package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"

	"dfinery-kafka/schema"
)

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

// generic takes the topics' prefix off.
func generic(name string) string {
	fields := strings.Split(name, " ")
	last := fields[len(fields)-1]
	_, rest, _ := strings.Cut(last, ".")
	fields[len(fields)-1] = rest
	return strings.Join(fields, " ")
}
