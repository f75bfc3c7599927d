package schedule

import (
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// An answer whose content shows that it is cut concerns only its day: the connection
// works, and other days may be complete. The rows before the cut are published. The day
// is exported again at its usual interval, which doubles while the answers are cut in
// the same place, so that an API that never ends its last line does not use up the
// quota.

const (
	// maxCutWait limits the doubled interval: each day in reach is tried at least once
	// a day.
	maxCutWait = 24 * time.Hour
	// maxSnapshotWait limits the interval of a snapshot that is cut: its polls may be a
	// day apart, and the next day has another snapshot.
	maxSnapshotWait = time.Hour
	// fewCuts is the maximum number of cut days that Once retries in the same run: a
	// few cuts may be chance, many are how the API answers.
	fewCuts = 3
)

// truncation is the state of a day whose answers are cut, from the service's record.
type truncation struct{ ledger.Truncation }

// note records a cut answer of a call that began at started.
func (t *truncation) note(f *schema.Failure, started time.Time) {
	if t.Cut != f.Cut || t.At != f.CutAt {
		t.Times = 0
	}
	t.Cut, t.At, t.Started = f.Cut, f.CutAt, &started
}

// noteLetter records that a dead letter was published for a cut.
func (t *truncation) noteLetter(f *schema.Failure) {
	if f.Cut != "" {
		t.Letters = append(t.Letters, f.Cut)
	}
}

// end records a success. The dead letters are kept.
func (t *truncation) end() { t.Truncation = ledger.Truncation{Letters: t.Letters} }

// CutLetters returns the cuts of the day that have a dead letter; each kind has at most
// one.
func (d *Day) CutLetters() []schema.Cut { return slices.Clone(d.cut.Letters) }

// isCut reports whether the day's last answer was cut, except at its end.
func (d *Day) isCut() bool {
	return d.cut.Cut != "" && (d.record.State == ledger.Pending || d.record.State == ledger.Open)
}

// truncated records a cut answer, and returns until when the day waits.
func (s *step) truncated() time.Time {
	c, f := &s.d.cut, s.o.Failure
	c.note(f, s.o.Started)
	today := s.policy.today(s.now)
	if s.d.name.Day < today && !c.Reported {
		c.Reported = true
		s.emit(Event{Kind: DayCut, Cut: f.Cut, Code: f.Code, Detail: f.Detail})
	}
	cut := s.cut
	if s.d.isCut() {
		cut++
	}
	if once := s.policy.Once; once != nil && s.d.failed < once.Attempts && cut <= fewCuts {
		return s.now.Add(s.backoff(s.d.failed))
	}
	c.Times++
	return s.o.Started.Add(s.st.cutWait(s.d.name.Day == today, c.Times, s.o.Took))
}

// cutWait returns the wait after the last call of a day that was cut in the same place
// for the n-th time. took is the duration of the call.
func (s *StreamConfig) cutWait(ofToday bool, n int, took time.Duration) time.Duration {
	wait := s.LookbackInterval
	switch {
	case s.Kind.Snapshot():
		wait = min(s.Poll, maxSnapshotWait)
	case ofToday:
		wait = s.Poll
	}
	wait = max(wait, 2*took)
	most := max(wait, maxCutWait)
	for range n - 1 {
		if wait *= 2; wait >= most {
			return most
		}
	}
	return wait
}

// cutDays counts the days of all streams but one whose last answer was cut, except at
// its end.
func (s *State) cutDays(but *Day) (n int) {
	for _, st := range s.streams {
		n += st.days.cutDays(but)
	}
	return n
}

// cutDays counts the days but one whose last answer was cut, except at its end.
func (l days) cutDays(but *Day) (n int) {
	for _, d := range l {
		if d != but && d.isCut() {
			n++
		}
	}
	return n
}

// loadCuts restores the cuts from the service's record.
func (l days) loadCuts(cuts map[schema.Day]ledger.Truncation) {
	for at, cut := range cuts {
		if d := l[at]; d != nil {
			d.cut = truncation{cut}
		}
	}
}

// cuts returns the cuts to record, of days from oldest on.
func (l days) cuts(oldest schema.Day) map[schema.Day]ledger.Truncation {
	cuts := map[schema.Day]ledger.Truncation{}
	for at, d := range l {
		if at >= oldest && (d.cut.Cut != "" || len(d.cut.Letters) > 0) {
			cuts[at] = d.cut.Truncation
		}
	}
	return cuts
}

// Accept makes the days due whose answers had this kind of cut: such answers count as
// complete from now on.
func (s *State) Accept(cut schema.Cut, now time.Time) {
	for _, st := range s.streams {
		for _, d := range st.days {
			if d.cut.Cut == cut {
				d.endWait(now)
			}
		}
	}
}
