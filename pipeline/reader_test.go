package pipeline

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/profiles"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// TestReader_Snapshot reads the state of a service from the ledger: before its first owner, while
// an owner runs, after it stopped sending heartbeats, and after it ended in order.
func TestReader_Snapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		if _, err := b.Reader().Snapshot(t.Context()); !cluster.Missing(err) {
			t.Errorf("error %v, want that the ledger is missing", err)
		}
		snapshot := func() *Snapshot {
			t.Helper()
			s, err := b.Reader().Snapshot(t.Context())
			b.must(err)
			return s
		}
		o := b.takeOver()
		if s := snapshot(); s.Owner != nil || s.Alive || len(s.Streams) != 2 || len(s.Newest) != 0 {
			t.Errorf("before the first owner %+v", s)
		}
		day, now := schema.DayOf(time.Now(), planned), time.Now().UTC()
		o.heartbeat.begin(o.config, now)
		b.must(o.heartbeat.beat(t.Context()))
		b.must(newRecoverer(o).recover(t.Context(), b.load()))
		b.publish(o, day, 1, 0, 3)
		name := ledger.DayName{Stream: "events", Day: day}
		b.must(o.writer.Day(name, &ledger.Day{State: ledger.Open, Exports: 1, Published: 3, Bad: 2, Generation: 1, LastSuccess: &now}))
		later, done := now.Add(time.Minute), now
		for _, c := range []*ledger.Command{{ID: "b", Given: later}, {ID: "a", Given: now}, {ID: "c", Given: now, Done: &done}} {
			c.Service, c.Verb, c.Stream = "1234", "pause", "events"
			b.must(o.writer.Command(c))
		}
		wait := &ledger.Wait{For: schema.WaitToken, Until: later}
		service := &ledger.Service{Source: json.RawMessage(`{"calls":1}`), Wait: wait, Profiles: map[string]*ledger.Profiles{"users": {Present: 7}}}
		b.must(o.checkpoints.write(t.Context(), nil, func() *ledger.Service { return service }))

		s := snapshot()
		if s.Owner.Instance != "A" || !s.Alive || string(s.Source) != `{"calls":1}` || s.Wait.For != schema.WaitToken || s.Location != planned {
			t.Errorf("owner %+v, alive %t, source %s, wait %+v", s.Owner, s.Alive, s.Source, s.Wait)
		}
		if e, u := s.Streams[0], s.Streams[1]; e.Published != 3 || e.DeadLetters != 2 || e.Profiles != nil || u.Profiles == nil || u.Profiles.Present != 7 {
			t.Errorf("streams %+v and %+v", e, u)
		}
		var commands []string
		for _, c := range s.Commands {
			commands = append(commands, c.ID)
		}
		if diff := cmp.Diff([]string{"a", "b"}, commands); diff != "" {
			t.Errorf("commands that are not done, oldest first (-want +got):\n%s", diff)
		}
		if newest := s.Newest["events"]; newest.IsZero() || len(s.Newest) != 1 {
			t.Errorf("newest rows %v, want those of events", s.Newest)
		}
		time.Sleep(b.StandbyAfter)
		if snapshot().Alive {
			t.Error("an owner without heartbeats counts as alive")
		}
		o.heartbeat.release()
		b.must(o.heartbeat.beat(t.Context()))
		if s := snapshot(); s.Alive || !s.Owner.Released {
			t.Error("an owner that has ended in order counts as alive")
		}
	})
}

// TestReader_AbsentProfiles: the sample of absent keys has only keys that are still in the topic.
func TestReader_AbsentProfiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		o := b.takeOver()
		rows, err := senders(o.session, o.partitions.of("users"))
		b.must(err)
		for _, record := range []struct{ key, value string }{{"a", "{}"}, {"b", "{}"}, {"c", "{}"}, {"d", "{}"}, {"b", ""}} {
			var value recordbatch.Value // a tombstone
			if record.value != "" {
				value = recordbatch.Bytes([]byte(record.value))
			}
			b.must(rows[0].Append([]byte(record.key), value, nil))
		}
		const seed = 42
		p := &ledger.Profiles{Seed: seed, Missing: 4}
		for _, key := range []string{"b", "c", "a", "gone"} {
			p.Sample = append(p.Sample, profiles.HashKey(seed, []byte(key)).String())
		}
		b.must(o.writer.Service(&ledger.Service{Profiles: map[string]*ledger.Profiles{"users": p}}))
		b.must(o.session.Flush(t.Context()))
		for limit, want := range map[int][]string{0: nil, 2: {"c"}, 100: {"a", "c"}} {
			status, keys, err := b.Reader().AbsentProfiles(t.Context(), "users", limit)
			b.must(err)
			if diff := cmp.Diff(want, keys); diff != "" || status.Absent != 4 {
				t.Errorf("up to %d keys of %d (-want +got):\n%s", limit, status.Absent, diff)
			}
		}
		if status, keys, err := b.Reader().AbsentProfiles(t.Context(), "events", 10); status != nil || keys != nil || err != nil {
			t.Errorf("a stream that publishes all rows has %+v, %v: %v", status, keys, err)
		}
	})
}
