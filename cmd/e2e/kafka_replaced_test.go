package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

const (
	lostRows    = "Kafka has lost acknowledged rows of a stream: publish its days again"
	lostLetters = "Kafka has lost acknowledged dead letters"
)

// newGrowingService returns a service with rows.Load() rows and bad rows in each call, and many
// records that are not acknowledged at any time.
func newGrowingService(t *testing.T, seed uint64) (b *testbed, rows *atomic.Int64) {
	rows = new(atomic.Int64)
	rows.Store(30)
	b = newTestbed(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1},
		Data:   exporttest.Data{Seed: seed, RowsOn: func(schema.Day) int { return int(rows.Load()) }, Duplicates: 0.1},
		Faults: func(exporttest.Call) *exporttest.Fault {
			var bad []exporttest.BadRow
			for after := range int(rows.Load() / 10) {
				bad = append(bad, exporttest.BadRow{After: after * 10, Kind: exporttest.FewerFields})
			}
			return &exporttest.Fault{BadRows: bad}
		},
	})
	b.unlimited()
	b.pollEvery("100ms")
	b.set("STREAM_EVENTS_START", "0", "CHECKPOINT_INTERVAL", "1s")
	return b, rows
}

// replaceTopic deletes a topic while it is written to, and creates it again at once.
func (b *testbed) replaceTopic(topic string, partitions int32) {
	b.t.Helper()
	b.deleteTopics(topic)
	b.withClient(func(ctx context.Context, client *kgo.Client) error {
		for {
			err := createTopic(ctx, kadm.NewClient(client), b.prefix+topic, partitions, nil)
			if err == nil || !errors.Is(err, kerr.TopicAlreadyExists) {
				return err
			}
			// The program may have created it, or the deletion is not complete.
			topics, err := kadm.NewClient(client).ListTopics(ctx, b.prefix+topic)
			if err == nil && topics[b.prefix+topic].Err == nil && len(topics[b.prefix+topic].Partitions) > 0 {
				return nil
			}
		}
	})
}

// TestTopics_ReplacedUnderOwner deletes the topic of rows, or of dead letters, while an owner
// publishes to it, and creates it again at once. Records that the owner wrote to the new topic
// before it noticed are not published again. The loss is reported, and later rows are published
// once. At the end the program is killed right after one more replacement.
func TestTopics_ReplacedUnderOwner(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		topic      string
		partitions int32
		says       string
		heartbeat  string
	}{
		"rows":                                {"events", partitions, lostRows, "200ms"},
		"rows, noticed at a write":            {"events", partitions, lostRows, "10m"},
		"rows, more partitions":               {"events", 9, lostRows, "200ms"},
		"rows, fewer partitions":              {"events", 2, lostRows, "200ms"},
		"dead letters":                        {"dead-letters", partitions, lostLetters, "200ms"},
		"dead letters, noticed at a write":    {"dead-letters", partitions, lostLetters, "10m"},
		"dead letters, with more partitions":  {"dead-letters", 8, lostLetters, "200ms"},
		"dead letters, with fewer partitions": {"dead-letters", 2, lostLetters, "200ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seed := crashSeed(t)
			rng := rand.New(rand.NewPCG(seed, 1))
			b, rows := newGrowingService(t, seed)
			b.set("OWNER_HEARTBEAT", test.heartbeat, "STANDBY_AFTER", "1h")
			p := b.start("run")
			p.awaitMore(exported, 2)
			grow := func(times int) {
				for range times {
					rows.Add(10)
					b.sleep(time.Duration(rng.IntN(150)) * time.Millisecond)
				}
			}
			grow(8)
			b.replaceTopic(test.topic, test.partitions)
			b.await("the loss is reported", func() bool { grow(2); return p.count(test.says) > 0 })
			if test.says == lostRows {
				expectText(t, p.log(), fmt.Sprintf("dfinery-kafka backfill events --from %s --to %s --again", currentDay(), currentDay()))
			}
			grow(8)
			b.replaceTopic(test.topic, test.partitions)
			grow(rng.IntN(8))
			p.kill()
			b.awaitLeaders(test.topic)
			before := b.served(schema.Event)
			b.runOnce(0)
			rows.Add(200)
			calls := len(b.api.Calls())
			b.await("one more export", func() bool { // not before it is due
				if log := b.runOnce(0); strings.Contains(log, "Kafka has lost") {
					t.Errorf("the loss is reported again:\n%s", log)
				}
				return len(b.api.Calls()) > calls
			})
			b.expectOnce(test.topic)
			b.checkedDays()
			if test.topic == "events" {
				b.expectPublished(minus(b.served(schema.Event), before))
			} else {
				b.compareEvents() // no dead letter was lost
				b.checkLedger()
			}
		})
	}
}

// awaitLeaders waits until each partition of a topic has a leader.
func (b *testbed) awaitLeaders(topic string) {
	b.t.Helper()
	b.await("leaders", func() (led bool) {
		b.query(func(ctx context.Context, c *kadm.Client) error {
			topics, err := c.ListTopics(ctx, b.prefix+topic)
			detail := topics[b.prefix+topic]
			led = err == nil && detail.Err == nil && len(detail.Partitions) > 0
			for _, p := range detail.Partitions {
				led = led && p.Leader >= 0
			}
			return nil
		})
		return led
	})
}

// expectOnce fails the test if a record of the connector is in a topic twice.
func (b *testbed) expectOnce(topic string) {
	b.t.Helper()
	times, twice := map[string]int{}, 0
	all := b.consume(topic, kgo.ReadUncommitted())
	for _, m := range all {
		at := m.day() + " " + m.ID
		if times[at]++; times[at] == 2 {
			twice++
		}
	}
	if twice > 0 || len(all) == 0 {
		b.t.Errorf("%d of %d records of %s are in the topic twice", twice, len(all), topic)
	}
}

// expectPublished checks that all of the rows are in the topic.
func (b *testbed) expectPublished(want map[row]int) {
	b.t.Helper()
	for _, r := range b.rows("events") {
		want[r]--
	}
	missing := 0
	for _, n := range want {
		missing += max(0, n)
	}
	if missing > 0 || len(want) == 0 {
		b.t.Errorf("%d rows of after the loss are not in the topic", missing)
	}
}

// minus counts the rows in all that are not in without.
func minus(all, without []row) map[row]int {
	left := map[row]int{}
	for _, r := range all {
		left[r]++
	}
	for _, r := range without {
		left[r]--
	}
	return left
}

// TestTopics_RestoredFromCopy replaces the topic of rows and copies some of its records back, as
// an administrator with a mirror does. These records are neither published again nor counted
// twice, even in another partition.
func TestTopics_RestoredFromCopy(t *testing.T) {
	t.Parallel()
	for name, now := range map[string]int32{"as many partitions": partitions, "more partitions": 9, "fewer partitions": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newLateRows(t)
			b.runOnce(0)
			var mirror []*kgo.Record
			for i, m := range b.consume("events", kgo.ReadUncommitted()) {
				if i%3 == 0 {
					continue
				}
				mirror = append(mirror, &kgo.Record{Partition: int32(i) % now, Key: []byte(m.Key), Value: []byte(m.Value),
					Headers: []kgo.RecordHeader{{Key: "id", Value: []byte(m.ID)}, {Key: "export", Value: []byte(m.Export)}}})
			}
			b.recreateTopic("events", now, nil)
			b.put("events", mirror...)
			before := b.served(schema.Event)
			expectText(t, b.runOnce(0), lostRows)
			b.runOnce(0)
			b.expectOnce("events")
			days := b.checkedDays()
			served := 0
			for _, day := range days {
				served += day.Published
			}
			if all := len(b.served(schema.Event)); served != all {
				t.Errorf("the ledger counts %d rows, %d were served", served, all)
			}
			b.expectPublished(minus(b.served(schema.Event), before))
		})
	}
}
