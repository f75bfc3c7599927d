package e2e

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/connector/exporttest"
)

const (
	oneDay     = "86400000"
	markersGo  = "compaction of the ledger may remove the markers that fence a former owner"
	lagCommand = "ledger --add-config min.compaction.lag.ms=" + oneDay
)

// configs returns the configurations of a topic that are not defaults.
func (b *testbed) configs(topic string) map[string]string {
	b.t.Helper()
	set := map[string]string{}
	b.withClient(func(ctx context.Context, client *kgo.Client) error {
		if err := awaitBrokers(ctx, client); err != nil {
			return err
		}
		answers, err := kadm.NewClient(client).DescribeTopicConfigs(ctx, b.prefix+topic)
		if err != nil {
			return err
		}
		for _, config := range answers[0].Configs {
			if config.Source == kmsg.ConfigSourceDynamicTopicConfig {
				set[config.Key] = config.MaybeValue()
			}
		}
		return answers[0].Err
	})
	return set
}

// TestLedger_CompactionLagIsSet: the program sets the compaction lag of a ledger that an earlier
// release has created, at its start and while it runs, and keeps other settings. A new ledger is
// created with it.
func TestLedger_CompactionLagIsSet(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 61, RowsPerDay: 50}})
	want := map[string]string{"cleanup.policy": "compact", "segment.ms": "1234567", "retention.bytes": "-1"}
	b.createTopic("ledger", 1, want)
	p := b.start("run")
	p.await(`set the ledger's min.compaction.lag.ms`)
	want["min.compaction.lag.ms"] = oneDay
	if diff := cmp.Diff(want, b.configs("ledger")); diff != "" {
		t.Errorf("configuration of the ledger (-want +got):\n%s", diff)
	}
	b.setTopicConfig("ledger", "min.compaction.lag.ms", "0")
	p.awaitMore(`set the ledger's min.compaction.lag.ms`, 1)
	p.kill()
	if diff := cmp.Diff(want, b.configs("ledger")); diff != "" {
		t.Errorf("configuration after it was changed (-want +got):\n%s", diff)
	}
	b.environ["LEDGER_TOPIC"] = b.prefix + "new"
	b.runOnce(0)
	if got := b.configs("new")["min.compaction.lag.ms"]; got != oneDay {
		t.Errorf("a new ledger has min.compaction.lag.ms=%s, want %s", got, oneDay)
	}
}

// TestLedger_CompactionLagIsRefused: without the right to set the compaction lag, run and check
// print the command that sets it, and the service runs.
func TestLedger_CompactionLagIsRefused(t *testing.T) {
	t.Parallel()
	b, fake := newScripted(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 62, RowsPerDay: 50}})
	b.createTopic("ledger", 1, map[string]string{"cleanup.policy": "compact"})
	fake.ControlKey(int16(kmsg.IncrementalAlterConfigs), func(r kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		req := r.(*kmsg.IncrementalAlterConfigsRequest)
		res := req.ResponseKind().(*kmsg.IncrementalAlterConfigsResponse)
		for _, asked := range req.Resources {
			answer := kmsg.NewIncrementalAlterConfigsResponseResource()
			answer.ResourceType, answer.ResourceName, answer.ErrorCode = asked.ResourceType, asked.ResourceName, kerr.TopicAuthorizationFailed.Code
			res.Resources = append(res.Resources, answer)
		}
		return res, nil, true
	})
	expectText(t, b.runOnce(0), markersGo, lagCommand, "Topic Authorization Failed")
	b.compareEvents()
	out, got := b.run("check")
	if got.Code != 0 {
		t.Errorf("check: exit %d", got.Code)
	}
	expectText(t, out, "warn  topic "+b.prefix+"ledger: has min.compaction.lag.ms=0", lagCommand)
}
