package schedule

import (
	"testing"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

func newChanges() *Stream {
	return newTestStream("users", func(s *StreamConfig) {
		s.Kind, s.Changes, s.Poll, s.Lookback = schema.UserProfile, true, 24*time.Hour, 0
	})
}

// TestChanges_OneAtATime: while an export of a stream with MODE=changes runs, no other one
// of the stream is due, not even that of the next day.
func TestChanges_OneAtATime(t *testing.T) {
	s := scheduleOf(newChanges())
	due, ok, _ := s.Next(noon)
	if !ok {
		t.Fatal("nothing is due")
	}
	s.Begin(due, noon)
	midnight := noon.Add(13 * time.Hour)
	if due, ok, _ := s.Next(midnight); ok {
		t.Errorf("%v is due while the snapshot of the day before is exported", due.Day)
	}
	s.Apply(&Outcome{Name: ledger.DayName{Stream: "users", Day: today}, Aborted: true}, midnight)
	if due, ok, _ := s.Next(midnight); !ok || due.Day != today+1 {
		t.Errorf("due: %v, %t; want the next day", due.Day, ok)
	}
}

// TestChanges_Numbers: the exports of a stream with MODE=changes are numbered across days.
func TestChanges_Numbers(t *testing.T) {
	st := newChanges()
	s := scheduleOf(st)
	s.Load(&ledger.Service{Profiles: map[string]*ledger.Profiles{"users": {N: 41}}}, map[ledger.DayName]ledger.Day{
		{Stream: "users", Day: today - 3}: {State: ledger.Open, Exports: 7, LastSuccess: &noon},
	}, noon)
	begin := func(day schema.Day) int { return s.Begin(Due{Stream: "users", Day: day}, noon).N }
	if n := begin(today - 1); n != 42 {
		t.Errorf("the first export has the number %d, want 42, one more than in the stream's record", n)
	}
	if n := begin(today); n != 43 {
		t.Errorf("the next day's has the number %d, want 43", n)
	}
	if n := st.Day(today).Renumber(99); n != 100 || st.LastExport() != 100 {
		t.Errorf("the number is %d, and the last one %d; want 100", n, st.LastExport())
	}
	if n := begin(today); n != 101 {
		t.Errorf("the number of the next export is %d, want 101", n)
	}
}

// TestChanges_NothingIsMissing: an export with fewer rows than were published counts no
// missing rows in a stream with MODE=changes.
func TestChanges_NothingIsMissing(t *testing.T) {
	st := newChanges().with(0, ledger.Open, time.Hour, func(d *Day) { d.record.Published = 10 })
	s := scheduleOf(st)
	columns, err := schema.NewColumns([]string{"df_unified_id"})
	if err != nil {
		t.Fatal(err)
	}
	call := s.Begin(Due{Stream: "users", Day: today}, noon)
	s.Apply(&Outcome{Name: ledger.DayName{Stream: "users", Day: today}, Call: call, Started: noon, Rows: 5, Known: 5, Columns: columns}, noon)
	if missing := s.Record(ledger.DayName{Stream: "users", Day: today}).Missing; missing != 0 {
		t.Errorf("%d rows are missing, want 0", missing)
	}
}
