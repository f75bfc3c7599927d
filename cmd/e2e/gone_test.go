package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

const daysGone = "the ledger has lost the records of days"

// TestDaysGone: the ledger has its newest checkpoint, but no longer the records of days that did not change of late, as after a
// retention. That is said, nothing of them is published again, and nothing of them is counted twice, whenever the restore is killed.
func TestDaysGone(t *testing.T) {
	t.Parallel()
	program, err := withFaults()
	if err != nil {
		t.Fatal(err)
	}
	b := lateBench(t)
	b.once(0)
	day := schema.DayOf(time.Now(), seoul) - 1
	before := b.ledgerEnds()
	b.quiet()
	b.command(nil, "backfill", "events", "--from", day.String(), "--to", day.String(), "--yes")
	b.once(0) // no other day changes
	b.alter("ledger", "cleanup.policy", "delete")
	b.admin(func(ctx context.Context, c *kadm.Client) error {
		answers, err := c.DeleteRecords(ctx, before)
		if err == nil {
			err = answers.Error()
		}
		return err
	})
	b.alter("ledger", "cleanup.policy", "compact")
	for _, step := range []string{"owner", "restored", "flushed"} {
		p := b.start(program, []string{"FAULT_STEP=" + step}, "run")
		<-p.done
	}
	expect(t, b.once(0), daysGone, `"days":2`)
	b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"] = "100ms", "100ms"
	b.settle()
	if log := b.once(0); strings.Contains(log, daysGone) {
		t.Errorf("said again:\n%s", log)
	}
}

// ledgerEnds are the ends of the ledger's topic.
func (b *bench) ledgerEnds() kadm.Offsets {
	b.t.Helper()
	var offsets kadm.Offsets
	b.ask(func(ctx context.Context, c *kadm.Client) error {
		ends, err := c.ListEndOffsets(ctx, b.prefix+"ledger")
		offsets = ends.Offsets()
		return err
	})
	return offsets
}

// TestMadeAnewWhileRunning: topics are deleted and made anew at once under an owner. Of the ledger's it makes nothing twice, also when it is
// killed right after; that rows are gone with theirs is said.
func TestMadeAnewWhileRunning(t *testing.T) {
	configs := map[string]map[string]string{"ledger": {"cleanup.policy": "compact"}, "ledger.rows": {"retention.ms": "-1", "retention.bytes": "-1"}}
	for name, topics := range map[string][]string{"ledger": {"ledger", "ledger.rows"}, "days": {"ledger"}, "rows": {"events"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 23, RowsPerDay: 1500, Duplicates: 0.05, Late: 0.5, LateFrom: 12}})
			b.unbounded()
			b.quiet()
			b.environ["STREAM_EVENTS_POLL_INTERVAL"] = "300ms"                     // today changes, the days before do not
			b.environ["OWNER_HEARTBEAT"], b.environ["STANDBY_AFTER"] = "10m", "1h" // it would look at the topics
			p := b.start(binary, nil, "run")
			p.awaitMore(exported, 3)
			b.deleteTopics(topics...)
			b.admin(func(ctx context.Context, c *kadm.Client) error {
				for _, topic := range topics {
					partitions := int32(6)
					if configs[topic] != nil {
						partitions = 1
					}
					err := create(ctx, c, b.prefix+topic, partitions, configs[topic])
					if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) { // the program may have been faster
						return fmt.Errorf("create %s: %w", topic, err)
					}
				}
				return nil
			})
			p.awaitMore(exported, strings.Count(p.text(), exported)+3)
			if name == "rows" {
				p.await("Kafka has lost acknowledged rows of a stream: publish its days again")
				p.kill()
				return
			}
			p.kill()
			b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"] = "100ms"
			b.once(0)
			b.settle()
		})
	}
}
