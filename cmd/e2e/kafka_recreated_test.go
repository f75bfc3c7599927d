package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestTopics_Recreated replaces a topic by an empty one: the log reports the loss and the command
// that publishes the days again. The command restores all rows.
func TestTopics_Recreated(t *testing.T) {
	t.Parallel()
	for name, now := range map[string]int32{"with fewer partitions": 2, "with as many": partitions, "with more": 9} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newLateRows(t)
			b.runOnce(0)
			b.recreateTopic("events", now, nil)
			day := currentDay()
			expectText(t, b.runOnce(0), "Kafka has lost acknowledged rows of a stream: publish its days again",
				fmt.Sprintf("dfinery-kafka backfill events --from %s --to %s --again", day-2, day))
			b.pollEvery("1s")
			p := b.start("run")
			p.await(isOwner)
			b.command([]string{"3 days exported"}, "backfill", "events", "--from", (day - 2).String(), "--to", day.String(), "--again", "--wait", "1m")
			p.kill()
			b.runOnce(0)
			// Rows that were published in between are in the topic twice, since --again
			// publishes all rows.
			distinct := map[row]bool{}
			for _, r := range b.rows("events") {
				distinct[r] = true
			}
			for _, r := range b.served(schema.Event) {
				if !distinct[r] {
					t.Fatalf("a row is not published: %q", r)
				}
			}
		})
	}
}

// TestTopics_RecreatedWhileRunning replaces topics while an owner runs. If the ledger's topics are
// replaced, nothing is published twice, even after a crash; lost rows are reported.
func TestTopics_RecreatedWhileRunning(t *testing.T) {
	t.Parallel()
	configs := map[string]map[string]string{"ledger": {"cleanup.policy": "compact"}, "ledger.rows": {"retention.ms": "-1", "retention.bytes": "-1"}}
	for name, topics := range map[string][]string{"ledger": {"ledger", "ledger.rows"}, "days": {"ledger"}, "rows": {"events"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 23, RowsPerDay: 300, Duplicates: 0.05, Late: 0.5, LateFrom: 12}})
			b.unlimited()
			b.pollEvery("1h")
			b.environ["STREAM_EVENTS_POLL_INTERVAL"] = "300ms"                     // only today changes
			b.environ["OWNER_HEARTBEAT"], b.environ["STANDBY_AFTER"] = "10m", "1h" // a heartbeat would detect it
			p := b.start("run")
			p.awaitMore(exported, 3)
			b.deleteTopics(topics...)
			b.administer(func(ctx context.Context, c *kadm.Client) error {
				for _, topic := range topics {
					number := int32(partitions)
					if configs[topic] != nil {
						number = 1
					}
					err := createTopic(ctx, c, b.prefix+topic, number, configs[topic])
					if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) { // the program may have created it
						return fmt.Errorf("create %s: %w", topic, err)
					}
				}
				return nil
			})
			p.awaitMore(exported, p.count(exported)+3)
			if name == "rows" {
				p.await("Kafka has lost acknowledged rows of a stream: publish its days again")
				p.kill()
				return
			}
			p.kill()
			b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"] = "100ms"
			b.runOnce(0)
			b.finish()
		})
	}
}

// TestTopics_FingerprintsRecreated replaces the topic of fingerprints by an empty one. The rows of
// the days are read from their topic, and nothing is published twice.
func TestTopics_FingerprintsRecreated(t *testing.T) {
	t.Parallel()
	b := newLateRows(t)
	b.runOnce(0)
	b.recreateFingerprints()
	day := currentDay()
	expectText(t, b.runOnce(0), fmt.Sprintf(`"msg":"the ledger has lost the fingerprints of days: their rows are read from the topics; rows that are no longer there may be published twice",`+
		`"stream":"events","days":3,"first":"%s","last":"%s"`, day-2, day))
	b.finish()
}

// TestTopics_LedgerRecreatedDuringCheckpoint replaces the ledger's topics by empty ones, of which
// the ledger has what a checkpoint in flight still wrote there: a day, the service and the
// checkpoint. Nothing is published twice.
func TestTopics_LedgerRecreatedDuringCheckpoint(t *testing.T) {
	t.Parallel()
	b := newLateRows(t)
	b.runOnce(0)
	var last []*kgo.Record
	for key, value := range b.ledgerRecords() {
		if strings.HasPrefix(key, "checkpoint/") || strings.HasPrefix(key, "service/") || strings.HasSuffix(key, "/"+currentDay().String()) {
			text, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			last = append(last, &kgo.Record{Key: []byte(key), Value: text})
		}
	}
	if len(last) != 3 {
		t.Fatalf("%d records of the last checkpoint, want 3: %v", len(last), last)
	}
	b.recreateTopic("ledger", 1, map[string]string{"cleanup.policy": "compact"})
	b.recreateFingerprints()
	for _, r := range last {
		b.put("ledger", r)
	}
	expectText(t, b.runOnce(0), "the ledger has lost the records of days", "the ledger has lost the fingerprints of days")
	b.finish()
}

// recreateFingerprints replaces the topic of fingerprints by an empty one.
func (b *testbed) recreateFingerprints() {
	b.t.Helper()
	b.recreateTopic("ledger.rows", 1, map[string]string{"retention.ms": "-1", "retention.bytes": "-1"})
}

// TestTopics_FingerprintsOfAnother replaces the topic of fingerprints by one with records of
// another service at the same offsets. The log reports once for each day that its rows may be
// published twice. After that its fingerprints are complete again.
func TestTopics_FingerprintsOfAnother(t *testing.T) {
	t.Parallel()
	b := newLateRows(t)
	b.runOnce(0)
	before := b.published("events")
	b.recreateFingerprints()
	for range 60 {
		b.put("ledger.rows", &kgo.Record{Key: []byte("999/events/2026-11-22"), Value: make([]byte, 16), Headers: []kgo.RecordHeader{{Key: "generation", Value: []byte("1")}}})
	}
	log := b.runOnce(0)
	today := currentDay()
	for day := today - 2; day <= today; day++ {
		if n := strings.Count(log, fmt.Sprintf(`"msg":"rows of this day may be published twice","stream":"events","day":"%s"`, day)); n != 1 {
			t.Errorf("rows of %s that may be published twice are reported %d times, want once:\n%s", day, n, log)
		}
	}
	b.runOnce(0)
	b.checkedDays()
	if log := b.runOnce(0); strings.Contains(log, "may be published twice") || strings.Contains(log, "missing from the latest export") {
		t.Errorf("reported again, although no rows are published twice any more:\n%s", log)
	}
	b.checkedDays()
	compareRows(t, append(before, b.served(schema.Event)...), b.rows("events")) // rows of before are in the topic twice
}
