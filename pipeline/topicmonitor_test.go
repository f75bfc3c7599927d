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

// monitored is an owner that has begun.
func (b *bed) monitored() *owner {
	b.t.Helper()
	o := b.take()
	b.must(o.topics.setLimits(b.t.Context()))
	for i := range b.Streams {
		o.topics.judge(&b.Streams[i], b.taken.topics[b.Streams[i].Topic])
	}
	b.must(o.openSenders())
	return o
}

func (o *owner) checkTopics(t *testing.T) error {
	return o.topics.check(t.Context(), o.checkpoints, o.transfers)
}

// TestTopicMonitor_Changes: whatever changes a topic so that it must be fenced and read
// again ends the ownership.
func TestTopicMonitor_Changes(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*bed)
		want   string
	}{
		"partitions are added": {func(b *bed) {
			_, err := b.admin.CreatePartitions(b.t.Context(), 2, "events")
			b.must(err)
		}, "topic events has 3, it had 1"},
		"it takes smaller batches": {func(b *bed) { b.alter("users", "max.message.bytes", "2000") }, "topic users takes batches of 2000 bytes, it took 1048588"},
		"it is recreated, with fewer records": {func(b *bed) {
			_, err := b.admin.DeleteTopics(b.t.Context(), "events")
			b.must(err)
			_, err = b.admin.CreateTopic(b.t.Context(), 1, 1, nil, "events")
			b.must(err)
		}, "the log of topic events partition 0 ends at 0, it was written up to"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t)
				o := b.monitored()
				rows, err := senders(o.session, o.partitions.of("events"))
				b.must(err)
				b.must(rows[0].Append([]byte("k"), recordbatch.Bytes([]byte("{}")), nil))
				b.must(o.session.Flush(t.Context()))
				b.must(o.checkTopics(t))
				test.change(b)
				time.Sleep(10 * time.Second) // the layout is learned again
				expectChanged(t, o.checkTopics(t), test.want)
			})
		})
	}
}

// TestTopicMonitor_StreamWaits: a stream whose topic is gone waits, and no other. Once
// the topic is there again a new ownership begins, at once for the first time, and then
// less and less often.
func TestTopicMonitor_StreamWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
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
		b.expectSaid(1, "a stream waits for its topic")
		_, err = b.admin.CreateTopic(t.Context(), 1, 1, nil, "events")
		b.must(err)
		time.Sleep(10 * time.Second)
		expectChanged(t, o.checkTopics(t), "topic events may be written again")
		b.must(o.checkTopics(t)) // it was just tried
		time.Sleep(time.Minute)
		expectChanged(t, o.checkTopics(t), "topic events may be written again")
	})
}

// TestTopicMonitor_Absent: a topic that could not be created is tried again with each check.
func TestTopicMonitor_Absent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		permit := b.refuseCreation("events", kerr.PolicyViolation)
		o := b.monitored()
		for range 3 {
			b.must(o.checkTopics(t))
		}
		b.expectSaid(1, "a stream waits for its topic")
		if why := o.schedule.Stream("events").Blocked(); !strings.Contains(why, "Policy Violation") {
			t.Errorf("the stream waits for %q, want Kafka's reason", why)
		}
		permit()
		expectChanged(t, o.checkTopics(t), "topic events was created")
	})
}

// TestTopicMonitor_Refused: a topic that has refused records is left out for a while,
// then one ownership tries it.
func TestTopicMonitor_Refused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		history := newTopicHistory(20*time.Second, time.Minute)
		refused := &producer.RefusedError{Partition: recordbatch.TopicPartition{Topic: "events"}, Records: 3, Err: kafka.InvalidTimestamp}
		_, pause := history.learn(refused, time.Now())
		o := b.take()
		o.topics.history = history
		b.must(o.topics.setLimits(t.Context()))
		o.topics.judge(&b.Streams[0], b.taken.topics["events"])
		b.must(o.openSenders())
		if o.schedule.Stream("events").Blocked() == "" {
			t.Error("the stream does not wait")
		}
		b.expectSaid(1, "check the clocks of this machine and the brokers")
		b.must(o.checkTopics(t))
		time.Sleep(pause)
		expectChanged(t, o.checkTopics(t), "topic events refused records and is tried again")
	})
}

// TestTopicMonitor_KafkaAway: a Kafka that does not answer changes nothing, and does
// not hold the loop up for long.
func TestTopicMonitor_KafkaAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
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
			t.Errorf("the loop is held up for %s", took)
		}
		b.expectSaid(1, "can't read the topics' metadata")
		way.release()
		time.Sleep(time.Minute)
		b.must(o.checkTopics(t))
	})
}

// TestTopicMonitor_Compaction: a stream of changes waits while its topic would lose
// profiles; another stream does not mind.
func TestTopicMonitor_Compaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		o := b.monitored()
		b.alter("users", "cleanup.policy", "delete")
		b.alter("events", "cleanup.policy", "delete")
		b.must(o.checkTopics(t))
		if why := o.schedule.Stream("users").Blocked(); !strings.Contains(why, "topic users has cleanup.policy=delete") || o.schedule.Stream("events").Blocked() != "" {
			t.Errorf("users waits for %q, events for %q", why, o.schedule.Stream("events").Blocked())
		}
		b.expectSaid(1, "do=\"kafka-configs.sh")
	})
}

// TestTopicMonitor_Limits: no batch is larger than its topic takes, as far as that is known.
func TestTopicMonitor_Limits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		o := b.take()
		b.alter("users", "max.message.bytes", "2000")
		o.topics.history.tooLarge["events"] = 5000 // although no limit forbade it
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
func (b *bed) alter(topic, config, value string) {
	b.t.Helper()
	results, err := b.admin.AlterTopicConfigs(b.t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: config, Value: &value}}, topic)
	b.must(err)
	b.must(results[0].Err)
}
