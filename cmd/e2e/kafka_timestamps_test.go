package e2e

import (
	"os"
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"
)

// TestKafka_RefusedTimestamps has a topic on a real Kafka that takes no time but the brokers'
// own, not even that of a takeover's marker: its stream waits, the other goes on, few calls are
// spent, and the command that the program prints puts it right.
func TestKafka_RefusedTimestamps(t *testing.T) {
	if os.Getenv("KAFKA_TEST_BROKERS") == "" {
		t.Skip("an embedded broker looks at no timestamps: KAFKA_TEST_BROKERS is not set")
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
		t.Errorf("%d calls were spent", n)
	}
	run.await("message.timestamp.type=LogAppendTime")
	b.setTopicConfig("strict", "message.timestamp.type", "LogAppendTime")
	b.await("rows of the stream", func() bool { return len(b.rows("strict")) == 300 })
	run.kill()
	b.finish()
}
