package e2e

import (
	"fmt"
	"strings"
	"testing"

	"dfinery-kafka/pipeline/cluster"
)

// TestTopics_PartitionsAdded adds partitions: those of a stream's topic are used; with those of
// the ledger, which move the service's key, run refuses to start.
func TestTopics_PartitionsAdded(t *testing.T) {
	t.Parallel()
	b := newLateRows(t)
	b.runOnce(0)
	b.growTopic("events", 11)
	b.runOnce(0)
	b.runOnce(0)
	b.compareEvents()

	moved := 2 // the lowest number of partitions with which the service's key is not in the first one
	for cluster.PartitionOf([]byte("1234"), moved) == 0 {
		moved++
	}
	b.growTopic("ledger", moved)
	expectText(t, b.runOnce(1), "partitions were added to the ledger")
}

// TestTopics_PartitionsAddedWhileRunning adds partitions while an owner runs: it fences them before
// it writes to them.
func TestTopics_PartitionsAddedWhileRunning(t *testing.T) {
	t.Parallel()
	b := newLateRows(t)
	p := b.start("run")
	p.await(`"code":"ok"`)
	b.growTopic("events", 9)
	p.await("the topics have changed")
	p.awaitMore(isOwner, 1)
	p.kill()
	b.finish()
}

// TestTopics_Deleted deletes a stream's topic: the log reports that its rows are lost, with the
// command that publishes them again.
func TestTopics_Deleted(t *testing.T) {
	t.Parallel()
	b := newLateRows(t)
	b.runOnce(0)
	b.deleteTopics("events")
	day := currentDay()
	expectText(t, b.runOnce(0), "Kafka has lost acknowledged rows of a stream: publish its days again",
		fmt.Sprintf("dfinery-kafka backfill events --from %s --to %s --again", day-2, day))
}

// TestTopics_MissingAtStart starts without a stream's topic and creates it later: its rows are
// reported as lost. That the stream waits is logged once, with the command that creates the topic.
func TestTopics_MissingAtStart(t *testing.T) {
	t.Parallel()
	b := newLateRows(t)
	b.runOnce(0)
	b.deleteTopics("events")
	b.environ["KAFKA_CREATE_TOPICS"] = "false"
	p := b.start("run")
	p.await(isOwner)
	p.kill()
	const waits = `"msg":"a stream waits for its topic","stream":"events"`
	if n := p.count(waits); n != 1 {
		t.Errorf("logged %d times, want once: %s\n%s", n, waits, p.log())
	}
	expectText(t, p.log(), "create it with: kafka-topics.sh")
	b.environ["KAFKA_CREATE_TOPICS"] = "true"
	day := currentDay()
	expectText(t, b.runOnce(0), "Kafka has lost acknowledged rows of a stream: publish its days again",
		fmt.Sprintf("dfinery-kafka backfill events --from %s --to %s --again", day-2, day))
	if log := b.runOnce(0); strings.Contains(log, "Kafka has lost") {
		t.Errorf("reported again for a topic that lost nothing since:\n%s", log)
	}
}

// TestTopics_FewerPartitions replaces a topic by one with fewer partitions: the rows of the other
// partitions are reported as lost.
func TestTopics_FewerPartitions(t *testing.T) {
	t.Parallel()
	b := newLateRows(t)
	b.runOnce(0)
	b.recreateTopic("events", 1, nil)
	log := b.runOnce(0)
	for p := range partitions {
		expectText(t, log, fmt.Sprintf(`"partition":"topic %sevents partition %d"`, b.prefix, p))
	}
}
