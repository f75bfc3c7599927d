package profiles

import (
	"fmt"
	"testing"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
)

// TestDecide_ManyDeletes: deletes of snapshots that follow each other every ten minutes for a
// week neither fill the record nor are counted for less than a week.
func TestDecide_ManyDeletes(t *testing.T) {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	record := &ledger.Profiles{Request: "r"}
	const snapshots = 8 * 24 * 6
	for n := range snapshots {
		record.Deletes = append(record.Deletes, ledger.Deletion{At: start.Add(time.Duration(n) * 10 * time.Minute), Export: n, N: 1, Done: true})
		now := record.Deletes[len(record.Deletes)-1].At
		d := NewScan("1234", "users", 1, 0, 1, nil).Decide(Policy{Most: 1}, record, Snapshot{N: n, Started: now, Now: now})
		record = &d.Record
		if most := len(record.Deletes); most > 200 {
			t.Fatalf("snapshot %d: %d deletes are listed", n, most)
		}
		within := min(n+1, 7*24*6)
		if counted := recentlyDeleted(record.Deletes, now); counted < within || counted > within+6 {
			t.Fatalf("snapshot %d: %d deletes are counted, %d are within a week", n, counted, within)
		}
	}
}

// TestDecide_ManyMarks: keys that vanish one after the other, every ten minutes, do not fill the
// record with times. Each is deleted after the time that is configured, and an hour at most.
func TestDecide_ManyMarks(t *testing.T) {
	const keys, after, every = 220, 35 * time.Hour, 10 * time.Minute
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	approved := &ledger.Approval{N: keys, Until: start.Add(1000 * time.Hour)}
	record, run := &ledger.Profiles{Request: "r", Approved: approved}, []byte(nil)
	deletedAt := map[string]time.Duration{}
	for n := 1; n <= keys+int((after+2*time.Hour)/every); n++ {
		marks := Marks{}
		if err := marks.Load(run); err != nil {
			t.Fatal(err)
		}
		s := NewScan("1234", "users", 1, 0, 1, marks)
		for i := range keys + 1 { // the last one stays
			key := fmt.Sprint(i)
			if _, gone := deletedAt[key]; gone {
				continue
			}
			s.Add(0, lastRecord(key))
			if i >= n || i >= keys {
				s.Compare([]byte(key), fingerprintOf(key, 1))
			}
		}
		now := start.Add(time.Duration(n) * every)
		d := s.Decide(Policy{After: after, Most: 1}, record, Snapshot{N: n, Started: now, Now: now, Evidence: Evidence{Ended: true, Framed: true, Rows: 1, Request: "r"}})
		if most := len(d.Record.Absent.Times); d.Why != "" || most > 200 {
			t.Fatalf("snapshot %d: why %q, %d times are listed", n, d.Why, most)
		}
		for _, m := range d.Due {
			deletedAt[string(m.Key)] = now.Sub(start)
		}
		record, run = &d.Record, nil
		for _, m := range d.Marks {
			run = m.Append(run)
		}
	}
	for i := range keys {
		absent := time.Duration(i+1) * every
		if got := deletedAt[fmt.Sprint(i)] - absent; got < after || got > after+time.Hour {
			t.Errorf("key %d was deleted %v after it was first absent", i, got)
		}
	}
}

func lastRecord(key string) *recordbatch.Record {
	return record(key, "v", idOf(key, 1), "1234/users/2026-10-31/0")
}
