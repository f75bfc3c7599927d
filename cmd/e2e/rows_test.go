package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// message is a record as a consumer sees it.
type message struct {
	Partition          int32
	Key, Value         string
	ID, Export, Reason string
	Headers            map[string]string
}

// consume reads a topic from its start to its end with a client that is not ours.
func (b *bench) consume(topic string, isolation kgo.IsolationLevel) []message {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(b.brokers, ",")...), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(isolation),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords(), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		b.t.Fatal(err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err := errors.Join(err, ends.Error()); err != nil { // of one partition, too
		b.t.Fatal(err)
	}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	var all []message
	for len(left) > 0 {
		fetched := client.PollFetches(ctx)
		if err := fetched.Err(); err != nil {
			b.t.Fatalf("read %s: %v, not read: %v", topic, err, left)
		}
		fetched.EachRecord(func(r *kgo.Record) {
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
			if r.Attrs.IsControl() {
				return
			}
			m := message{Partition: r.Partition, Key: string(r.Key), Value: string(r.Value), Headers: map[string]string{}}
			for _, h := range r.Headers {
				m.Headers[h.Key] = string(h.Value)
				switch h.Key {
				case "id":
					m.ID = string(h.Value)
				case "export":
					m.Export = string(h.Value)
				case "__connect.errors.exception.class.name":
					m.Reason = string(h.Value)
				}
			}
			all = append(all, m)
		})
	}
	return all
}

// times tells how often each record of events, by its day and id, stands in the topic.
func (b *bench) times() map[string]int {
	b.t.Helper()
	times := map[string]int{}
	for _, m := range b.consume(b.prefix+"events", kgo.ReadUncommitted()) {
		times[m.Export[:strings.LastIndex(m.Export, "/")]+" "+m.ID]++
	}
	return times
}

// timesByDay tells for each day how many of its records stand there once, twice and so on.
func (b *bench) timesByDay() map[string]map[int]int {
	b.t.Helper()
	days := map[string]map[int]int{}
	for record, n := range b.times() {
		day := record[:strings.Index(record, " ")]
		if days[day] == nil {
			days[day] = map[int]int{}
		}
		days[day][n]++
	}
	return days
}

// published are the records of a topic as column → value, whatever their order, after checks that hold for every record.
func (b *bench) published(stream string) []map[string]string {
	b.t.Helper()
	committed, all := b.consume(b.prefix+stream, kgo.ReadCommitted()), b.consume(b.prefix+stream, kgo.ReadUncommitted())
	if len(committed) != len(all) {
		b.t.Errorf("read_committed sees %d records, read_uncommitted %d", len(committed), len(all))
	}
	ids := map[string]bool{}
	var records []map[string]string
	for _, m := range all {
		record := map[string]string{}
		if err := json.Unmarshal([]byte(m.Value), &record); err != nil {
			b.t.Fatalf("record %s: %v", m.Value, err)
		}
		if record["df_unified_id"] != m.Key {
			b.t.Errorf("key %q, the row has %q", m.Key, record["df_unified_id"])
		}
		day := m.Export[:strings.LastIndex(m.Export, "/")]
		if ids[day+m.ID] {
			b.t.Errorf("id %s of %s stands there twice", m.ID, day)
		}
		ids[day+m.ID] = true
		records = append(records, record)
	}
	return records
}

// served is what the simulator has handed out, of all days: each row as often as one export had it at most.
func (b *bench) served(kind schema.Kind) []map[string]string {
	byDay := map[schema.Day][]exporttest.Table{}
	for _, call := range b.api.Calls() {
		if call.Code == "" && call.Kind == kind && call.Status == 200 && call.Whole {
			byDay[call.Query.From] = append(byDay[call.Query.From], b.api.Expected(call))
		}
	}
	var records []map[string]string
	for _, tables := range byDay {
		records = append(records, exporttest.Union(tables...)...)
	}
	return records
}

// compare fails unless both hold the same records, each as often.
func compare(t *testing.T, want, got []map[string]string) {
	t.Helper()
	count := map[string]int{}
	for _, r := range want {
		count[text(r)]++
	}
	for _, r := range got {
		count[text(r)]--
	}
	shown := 0
	for r, n := range count {
		if n != 0 && shown < 10 {
			shown++
			t.Errorf("%+d of the record %s", -n, r)
		}
	}
	if len(want) == 0 || shown > 0 {
		t.Errorf("%d records are published, %d were served", len(got), len(want))
	}
}

func text(record map[string]string) string {
	b, _ := json.Marshal(record) // sorted by name
	return string(b)
}
