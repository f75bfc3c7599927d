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

// TestTopics_FingerprintsRecreated replaces the topic of fingerprints by an empty one, and by one
// with records of another service at the same offsets. The rows of each day are read from their
// topic once, and nothing is published twice.
func TestTopics_FingerprintsRecreated(t *testing.T) {
	t.Parallel()
	for name, others := range map[string]int{"empty": 0, "with fingerprints of another service": 60} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newLateRows(t)
			b.runOnce(0)
			b.recreateFingerprints()
			for range others {
				b.put("ledger.rows", &kgo.Record{Key: []byte("999/events/2026-11-22"), Value: make([]byte, 16), Headers: []kgo.RecordHeader{{Key: "generation", Value: []byte("1")}}})
			}
			log := b.runOnce(0)
			expectNoLoss(t, log)
			today := currentDay()
			for day := today - 2; day <= today; day++ {
				if n := strings.Count(log, fmt.Sprintf(`"msg":"fingerprints of this day were missing from the ledger and are read from the topics","stream":"events","day":"%s"`, day)); n != 1 {
					t.Errorf("fingerprints of %s that were missing are reported %d times, want once:\n%s", day, n, log)
				}
			}
			if log := b.runOnce(0); strings.Contains(log, "were missing from the ledger") {
				t.Errorf("reported again, although the fingerprints are complete again:\n%s", log)
			}
			b.finish()
		})
	}
}

// TestTopics_FingerprintsAndRowsLost replaces the topic of fingerprints by an empty one, and removes
// rows from their topic. The log reports once for each day how many rows may be published twice,
// and only those are.
func TestTopics_FingerprintsAndRowsLost(t *testing.T) {
	t.Parallel()
	b := newLateRows(t)
	b.runOnce(0)
	b.recreateFingerprints()
	gone := map[string]int{} // rows by day
	b.read("events", kgo.ReadUncommitted(), map[int32]int64{}, func(r *kgo.Record) {
		if r.Partition == 0 {
			m := newMessage(r)
			gone[m.day()]++
		}
	})
	first := b.endOffsets("events")[b.prefix+"events"][0]
	b.deleteRecords(kadm.ListedOffsets{first.Topic: {0: first}}.Offsets())
	log := b.runOnce(0)
	today := currentDay()
	for day := today - 2; day <= today; day++ {
		text := fmt.Sprintf(`"msg":"rows of this day may be published twice","stream":"events","day":"%s","error":"the fingerprints of %d rows of events %s are missing from the ledger`,
			day, gone["1234/events/"+day.String()], day)
		if n := strings.Count(log, text); n != 1 {
			t.Errorf("%q is in the log %d times, want once:\n%s", text, n, log)
		}
	}
	b.finish() // the rows that were removed are in the topic again
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
	expectText(t, b.runOnce(0), "the ledger has lost the records of days", "fingerprints of this day were missing from the ledger and are read from the topics")
	b.finish()
}

// recreateFingerprints replaces the topic of fingerprints by an empty one.
func (b *testbed) recreateFingerprints() {
	b.t.Helper()
	b.recreateTopic("ledger.rows", 1, map[string]string{"retention.ms": "-1", "retention.bytes": "-1"})
}
