package pipeline

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/pipeline/cluster"
)

// refuseCreation makes Kafka refuse to create a topic until the returned function is called.
func (b *testbed) refuseCreation(topic string, with *kerr.Error) (permit func()) {
	var permitted atomic.Bool
	b.fake.ControlKey(int16(kmsg.CreateTopics), func(r kmsg.Request) (kmsg.Response, error, bool) {
		b.fake.KeepControl()
		req := r.(*kmsg.CreateTopicsRequest)
		if permitted.Load() || req.Topics[0].Topic != topic {
			return nil, nil, false
		}
		answer := kmsg.NewCreateTopicsResponseTopic()
		answer.Topic, answer.ErrorCode = topic, with.Code
		res := req.ResponseKind().(*kmsg.CreateTopicsResponse)
		res.Topics = append(res.Topics, answer)
		return res, nil, true
	})
	return func() { permitted.Store(true) }
}

// TestTopicCreator_Prepare: missing topics are created with the necessary configurations, and
// existing ones are not changed.
func TestTopicCreator_Prepare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		_, err := b.admin.CreateTopic(t.Context(), 3, 1, map[string]*string{"retention.ms": kadm.StringPtr("1000")}, "events")
		b.must(err)
		topics, err := newTopicCreator(&b.Config).prepare(t.Context())
		b.must(err)
		partitions := map[string]int{}
		for name, topic := range topics {
			partitions[name] = len(topic.Partitions)
		}
		if diff := cmp.Diff(map[string]int{"ledger": 1, "ledger.rows": 1, "dead": 1, "events": 3, "users": 1}, partitions); diff != "" {
			t.Errorf("partitions (-want +got):\n%s", diff)
		}
		configs, err := b.Cluster.TopicConfigs(t.Context(), "events", "users")
		b.must(err)
		if configs[0].RetentionMs != 1000 || configs[1].CleanupPolicy != "compact" || CompactionFault(b.Cluster, &b.Streams[1], &configs[1]) != nil {
			t.Errorf("configurations %+v", configs)
		}
		b.expectLogged(2, `msg="created topics"`)
	})
}

// TestTopicCreator_Absent: a stream's topic that can't be created does not affect the other
// topics. The reason is kept until it is created.
func TestTopicCreator_Absent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		permit := b.refuseCreation("events", kerr.PolicyViolation)
		c := newTopicCreator(&b.Config)
		topics, err := c.prepare(t.Context())
		b.must(err)
		why := topics["events"].Err
		if why == nil || !strings.Contains(why.Error(), "Policy Violation") || topics["users"].Err != nil {
			t.Errorf("errors %v and %v, want Kafka's reason and none", why, topics["users"].Err)
		}
		if err := c.createAbsent(t.Context(), "events"); err == nil || c.absent["events"] == nil {
			t.Error("the topic counts as created")
		}
		permit()
		b.must(c.createAbsent(t.Context(), "events"))
		if c.absent["events"] != nil {
			t.Error("the topic counts as absent")
		}
		c.needAll = true
		_, err = c.prepare(t.Context())
		b.must(err)
	})
}

// TestTopicCreator_NeedAll: with CREATE_TOPICS=false a missing topic is an error for "run --once",
// and else only for its stream.
func TestTopicCreator_NeedAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		_, err := newTopicCreator(&b.Config).prepare(t.Context())
		b.must(err)
		_, err = b.admin.DeleteTopics(t.Context(), "events")
		b.must(err)
		b.CreateTopics, b.Patience = false, time.Minute
		if _, err := newTopicCreator(&b.Config).prepare(t.Context()); !cluster.Missing(err) {
			t.Errorf("error %v, want that the topic is missing", err)
		}
		b.Patience = 0
		topics, err := newTopicCreator(&b.Config).prepare(t.Context())
		if err != nil || !cluster.Missing(topics["events"].Err) {
			t.Errorf("errors %v and %v, want no error and that the topic is missing", err, topics["events"].Err)
		}
	})
}

// TestTopicCreator_MayPass: a creation that fails with a transient error is retried for a limited
// time.
func TestTopicCreator_MayPass(t *testing.T) {
	for _, passes := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			b := newTestbed(t)
			permit := b.refuseCreation("events", kerr.NotController)
			if passes {
				time.AfterFunc(3*time.Second, permit)
			}
			began := time.Now()
			topics, err := newTopicCreator(&b.Config).prepare(t.Context())
			b.must(err)
			if got := topics["events"].Err == nil; got != passes {
				t.Errorf("topic created: %t, want %t: %v", got, passes, topics["events"].Err)
			}
			if took := time.Since(began); took > 2*topicPatience {
				t.Errorf("the other streams have waited for %s", took)
			}
		})
	}
}

// TestTopicCreator_Policies: ledger topics that would lose records are refused; the ledger's
// min.compaction.lag.ms is set.
func TestTopicCreator_Policies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		prepare := func() error {
			_, err := newTopicCreator(&b.Config).prepare(t.Context())
			return err
		}
		b.must(prepare())
		b.alter("ledger", "min.compaction.lag.ms", "0")
		b.must(prepare())
		if fault, err := b.Ledger().CheckCompactionLag(t.Context()); fault != nil || err != nil {
			t.Errorf("the lag is not set: %v, %v", fault, err)
		}
		b.expectLogged(1, "set the ledger's min.compaction.lag.ms")
		b.alter("ledger", "cleanup.policy", "delete")
		b.alter("ledger.rows", "retention.ms", "1000")
		err := prepare()
		for _, want := range []string{"ledger has cleanup.policy=delete", "ledger.rows has retention.ms=1000"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q in it", err, want)
			}
		}
		if !final(err) {
			t.Error("the error is not final, but only an operator can fix it")
		}
		if _, ok := any(err).(*cluster.ConfigError); ok {
			t.Error("only one of two wrong configurations is reported")
		}
	})
}
