package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/schema"
)

// forget deletes all records that the topic has, as its retention does.
func (b *bench) forget(topic string) {
	b.t.Helper()
	b.admin(func(ctx context.Context, c *kadm.Client) error {
		ends, err := c.ListEndOffsets(ctx, b.prefix+topic)
		if err != nil {
			return err
		}
		answers, err := c.DeleteRecords(ctx, ends.Offsets())
		if err == nil {
			err = answers.Error()
		}
		return err
	})
}

// TestRecordsForgotten: what the topic no longer has is in the ledger, and is not published again.
func TestRecordsForgotten(t *testing.T) {
	t.Parallel()
	b := lateBench(t)
	b.once(0)
	before := b.published("events")
	b.forget("events")
	for range 3 { // later exports have late rows
		if log := b.once(0); strings.Contains(log, "published twice") || strings.Contains(log, "lost") {
			t.Errorf("nothing is lost, and nothing repeats:\n%s", log)
		}
	}
	compare(t, b.served(schema.Event), append(before, b.published("events")...))
}

// leaveTail publishes the rows of one day and dies before its ledger knows of them.
func (b *bench) leaveTail() {
	b.t.Helper()
	program, err := withFaults()
	if err != nil {
		b.t.Fatal(err)
	}
	calls, interval := b.environ["DFINERY_CONCURRENT_CALLS"], b.environ["CHECKPOINT_INTERVAL"]
	b.environ["DFINERY_CONCURRENT_CALLS"], b.environ["CHECKPOINT_INTERVAL"] = "1", "1h"
	// The first checkpoint is that of the restore.
	p := b.start(program, []string{"FAULT_STEP=flushed", "FAULT_COUNT=2"}, "run")
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		b.t.Fatalf("it does not die:\n%s", p.text())
	}
	b.environ["DFINERY_CONCURRENT_CALLS"], b.environ["CHECKPOINT_INTERVAL"] = calls, interval
	if calls == "" {
		delete(b.environ, "DFINERY_CONCURRENT_CALLS")
	}
}

// TestTailForgotten: the topic forgets records that no checkpoint has confirmed. It is said, and they alone may repeat.
func TestTailForgotten(t *testing.T) {
	t.Parallel()
	b := lateBench(t)
	b.leaveTail()
	before := b.published("events")
	if len(before) < 1000 {
		t.Fatalf("%d rows stand in the tail", len(before))
	}
	b.forget("events")
	expect(t, b.once(0), "the topic has lost records that were not in the ledger yet: rows of the unsettled days may be published twice")
	if log := b.once(0); strings.Contains(log, "the topic has lost records") {
		t.Errorf("said again:\n%s", log)
	}
	compare(t, b.served(schema.Event), b.published("events")) // the ledger knew of none of the rows that were forgotten
	b.balanced()
}

// TestTopicMadeAnew: a topic that was made anew has nothing of what the ledger says. It is said, with the command that publishes it again.
func TestTopicMadeAnew(t *testing.T) {
	for name, partitions := range map[string]int32{"with fewer partitions": 2, "with as many": 6, "with more": 9} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := lateBench(t)
			b.once(0)
			b.makeAnew("events", partitions, nil)
			day := schema.DayOf(time.Now(), seoul)
			expect(t, b.once(0), "Kafka has lost acknowledged rows of a stream: publish its days again",
				fmt.Sprintf("dfinery-kafka backfill events --from %s --to %s --again", day-2, day))
			p := b.start(binary, nil, "run")
			p.await(`"msg":"owner"`)
			b.command([]string{"3 days exported"}, "backfill", "events", "--from", (day - 2).String(), "--to", day.String(), "--again", "--wait", "1m")
			p.kill()
			b.once(0)
			// What came in between stands twice: --again publishes all.
			distinct := map[string]bool{}
			for _, m := range b.consume(b.prefix+"events", kgo.ReadCommitted()) {
				row := map[string]string{}
				if err := json.Unmarshal([]byte(m.Value), &row); err != nil {
					t.Fatal(err)
				}
				distinct[text(row)] = true
			}
			for _, row := range b.served(schema.Event) {
				if !distinct[text(row)] {
					t.Fatalf("not there: %v", row)
				}
			}
		})
	}
}
