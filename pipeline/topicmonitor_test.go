package pipeline

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
)

// monitored returns an owner with open senders, whose topics can be checked.
func (b *testbed) monitored() *owner {
	b.t.Helper()
	o := b.takeOver()
	b.must(o.topics.setLimits(b.t.Context()))
	for i := range b.Streams {
		o.topics.blockIfUnwritable(&b.Streams[i], b.taken.topics[b.Streams[i].Topic])
	}
	b.must(o.openSenders())
	return o
}

func (o *owner) checkTopics(t *testing.T) error {
	return o.topics.check(t.Context(), o.checkpoints, o.transfers)
}

// TestTopicMonitor_Changes: changes of a topic that require another takeover and recovery end the
// ownership.
func TestTopicMonitor_Changes(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*testbed)
		want   string
	}{
		"partitions are added": {func(b *testbed) {
			_, err := b.admin.CreatePartitions(b.t.Context(), 2, "events")
			b.must(err)
		}, "topic events has 3 partitions, it had 1"},
		"it accepts smaller batches": {func(b *testbed) { b.alter("users", "max.message.bytes", "2000") }, "topic users takes batches of 2000 bytes, it took 1048588"},
		"it is recreated, with fewer records": {func(b *testbed) {
			_, err := b.admin.DeleteTopics(b.t.Context(), "events")
			b.must(err)
			_, err = b.admin.CreateTopic(b.t.Context(), 1, 1, nil, "events")
			b.must(err)
		}, "the log of topic events partition 0 ends at 0, it was written up to"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newTestbed(t)
				o := b.monitored()
				rows, err := senders(o.session, o.partitions.of("events"))
				b.must(err)
				b.must(rows[0].Append([]byte("k"), recordbatch.Bytes([]byte("{}")), nil))
				b.must(o.session.Flush(t.Context()))
				b.must(o.checkTopics(t))
				test.change(b)
				time.Sleep(10 * time.Second) // until the cached metadata expires
				expectChanged(t, o.checkTopics(t), test.want)
			})
		})
	}
}

// TestTopicMonitor_StreamWaits: a stream whose topic was deleted waits, and no other one. When the
// topic exists again, a new ownership begins: the first time at once, then after growing pauses.
func TestTopicMonitor_StreamWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		o := b.monitored()
		_, err := b.admin.DeleteTopics(t.Context(), "events")
		b.must(err)
		time.Sleep(10 * time.Second)
		for range 2 {
			b.must(o.checkTopics(t))
		}
		if o.schedule.Stream("events").Blocked() == "" || o.schedule.Stream("users").Blocked() != "" {
			t.Errorf("events waits for %q, users for %q", o.schedule.Stream("events").Blocked(), o.schedule.Stream("users").Blocked())
		}
		b.expectLogged(1, "a stream waits for its topic")
		_, err = b.admin.CreateTopic(t.Context(), 1, 1, nil, "events")
		b.must(err)
		time.Sleep(10 * time.Second)
		expectChanged(t, o.checkTopics(t), "topic events may be written again")
		b.must(o.checkTopics(t)) // the next attempt has to wait
		time.Sleep(time.Minute)
		expectChanged(t, o.checkTopics(t), "topic events may be written again")
	})
}

// TestTopicMonitor_Absent: each check tries again to create a topic that could not be created.
func TestTopicMonitor_Absent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		permit := b.refuseCreation("events", kerr.PolicyViolation)
		o := b.monitored()
		for range 3 {
			b.must(o.checkTopics(t))
		}
		b.expectLogged(1, "a stream waits for its topic")
		if why := o.schedule.Stream("events").Blocked(); !strings.Contains(why, "Policy Violation") {
			t.Errorf("the stream waits for %q, want Kafka's reason", why)
		}
		permit()
		expectChanged(t, o.checkTopics(t), "topic events was created")
	})
}

// TestTopicMonitor_Refused: a stream whose topic has refused records waits for a while, then an
// ownership tries it again.
func TestTopicMonitor_Refused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		history := newTopicHistory(20*time.Second, time.Minute)
		refused := &producer.RefusedError{Partition: recordbatch.TopicPartition{Topic: "events"}, Records: 3, Err: kafka.InvalidTimestamp}
		_, pause := history.learn(refused, time.Now())
		o := b.takeOver()
		o.topics.history = history
		b.must(o.topics.setLimits(t.Context()))
		o.topics.blockIfUnwritable(&b.Streams[0], b.taken.topics["events"])
		b.must(o.openSenders())
		if o.schedule.Stream("events").Blocked() == "" {
			t.Error("the stream does not wait")
		}
		b.expectLogged(1, "check the clocks of this machine and the brokers")
		b.must(o.checkTopics(t))
		time.Sleep(pause)
		expectChanged(t, o.checkTopics(t), "topic events refused records and is tried again")
	})
}

// TestTopicMonitor_KafkaAway: if Kafka does not answer, nothing changes, and the check does not
// block the owner's loop for long.
func TestTopicMonitor_KafkaAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		way := &link{dial: b.net.Dial}
		var err error
		b.Cluster, err = cluster.New(cluster.Config{Brokers: b.fake.ListenAddrs(), Dial: way.Dial})
		b.must(err)
		t.Cleanup(b.Cluster.Close)
		o := b.monitored()
		way.hold()
		began := time.Now()
		b.must(o.checkTopics(t))
		if took := time.Since(began); took > pollTimeout {
			t.Errorf("the check takes %s", took)
		}
		b.expectLogged(1, "can't read the topics' metadata")
		way.release()
		time.Sleep(time.Minute)
		b.must(o.checkTopics(t))
	})
}

// TestTopicMonitor_Compaction: a stream with MODE=changes waits while its topic would lose
// profiles; other streams do not.
func TestTopicMonitor_Compaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		o := b.monitored()
		b.alter("users", "cleanup.policy", "delete")
		b.alter("events", "cleanup.policy", "delete")
		b.must(o.checkTopics(t))
		if why := o.schedule.Stream("users").Blocked(); !strings.Contains(why, "topic users has cleanup.policy=delete") || o.schedule.Stream("events").Blocked() != "" {
			t.Errorf("users waits for %q, events for %q", why, o.schedule.Stream("events").Blocked())
		}
		b.expectLogged(1, "do=\"kafka-configs.sh")
	})
}

// TestTopicMonitor_Limits: batches are limited to the size that their topic is known to accept.
func TestTopicMonitor_Limits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		o := b.takeOver()
		b.alter("users", "max.message.bytes", "2000")
		o.topics.history.tooLarge["events"] = 5000 // refused below the configured limit
		b.must(o.topics.setLimits(t.Context()))
		large := func(topic string, size int) error {
			rows, err := senders(o.session, o.partitions.of(topic))
			b.must(err)
			return rows[0].Append([]byte("k"), recordbatch.Bytes(slices.Repeat([]byte("x"), size)), nil)
		}
		for topic, sizes := range map[string][2]int{"users": {1500, 2500}, "events": {4000, 6000}} {
			b.must(large(topic, sizes[0]))
			if err := large(topic, sizes[1]); !errors.As(err, new(*producer.TooLargeError)) {
				t.Errorf("%d bytes for %s: error %v, want one of their size", sizes[1], topic, err)
			}
		}
	})
}

// alter sets a configuration of a topic.
func (b *testbed) alter(topic, config, value string) {
	b.t.Helper()
	results, err := b.admin.AlterTopicConfigs(b.t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: config, Value: &value}}, topic)
	b.must(err)
	b.must(results[0].Err)
}
