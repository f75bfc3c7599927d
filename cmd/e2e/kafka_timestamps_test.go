package e2e

import (
	"os"
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"
)

// TestKafka_RefusedTimestamps: a topic on a real Kafka refuses all timestamps before the broker's
// time, even that of a takeover's marker. Its stream waits, the other one continues, few calls
// are made, and the command that the program prints repairs the topic.
func TestKafka_RefusedTimestamps(t *testing.T) {
	if os.Getenv("KAFKA_TEST_BROKERS") == "" {
		t.Skip("KAFKA_TEST_BROKERS is not set: the embedded Kafka does not check timestamps")
	}
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 51, RowsPerDay: 300}})
	b.unlimited()
	b.secondStream("strict")
	b.set("OWNER_HEARTBEAT", "1s", "STANDBY_AFTER", "5s", "RETRY_MAX_BACKOFF", "5m")
	b.createTopic("strict", 2, map[string]string{"message.timestamp.type": "CreateTime", "message.timestamp.before.max.ms": "0"})
	run := b.start("run")
	run.await("a stream waits for its topic")

	b.await("rows of the other stream", func() bool { return len(b.rows("events")) == 900 })
	b.sleep(10 * time.Second)
	if n := len(b.api.Calls()); n > 15 {
		t.Errorf("%d calls were made", n)
	}
	run.await("message.timestamp.type=LogAppendTime")
	b.setTopicConfig("strict", "message.timestamp.type", "LogAppendTime")
	b.await("rows of the stream", func() bool { return len(b.rows("strict")) == 300 })
	run.kill()
	b.finish()
}
