package schedule

import (
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// An answer whose content shows that it is cut is the trouble of its day alone: the
// connection works, and other days may be whole. The rows before the cut are published.
// The day is exported again at its usual pace, ever more slowly while the answers are
// cut in the same place, so that an API that never ends its last line does not use up
// the quota on the days in reach.

const (
	// maxCutWait bounds the doubled pace: each day in reach is tried once a day at least.
	maxCutWait = 24 * time.Hour
	// maxSnapshotWait is the pace of a snapshot that is cut: its polls may be a day
	// apart, and the next day has another.
	maxSnapshotWait = time.Hour
	// fewCuts is how many days at most are cut while Once tries them again in the same
	// run: a cut of few days may be chance, one of many is how the API answers.
	fewCuts = 3
)

// truncation is what is known of a day whose answers are cut, as the service's record has it.
type truncation struct{ ledger.Truncation }

// note notes an answer that is cut, of a call that began at started.
func (t *truncation) note(f *schema.Failure, started time.Time) {
	if t.Cut != f.Cut || t.At != f.CutAt {
		t.Times = 0
	}
	t.Cut, t.At, t.Started = f.Cut, f.CutAt, &started
}

// noteLetter notes that a cut has got a dead letter.
func (t *truncation) noteLetter(f *schema.Failure) {
	if f.Cut != "" {
		t.Letters = append(t.Letters, f.Cut)
	}
}

// end notes a success. The dead letters stay.
func (t *truncation) end() { t.Truncation = ledger.Truncation{Letters: t.Letters} }

// CutLetters are the cuts of the day that have a dead letter: it has one of each.
func (d *Day) CutLetters() []schema.Cut { return slices.Clone(d.cut.Letters) }

// isCut reports whether the day is cut now and not at its end.
func (d *Day) isCut() bool {
	return d.cut.Cut != "" && (d.record.State == ledger.Pending || d.record.State == ledger.Open)
}

// truncated notes an answer that is cut, and returns until when the day waits.
func (s *step) truncated() time.Time {
	c, f := &s.d.cut, s.o.Failure
	c.note(f, s.o.Started)
	today := s.policy.today(s.now)
	if s.d.name.Day < today && !c.Reported {
		c.Reported = true
		s.tell(Event{Kind: DayCut, Cut: f.Cut, Code: f.Code, Detail: f.Detail})
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

// cutWait is how long after its last call a day waits that was cut in the same place
// for the n-th time. took is the time that the call took.
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

// cutDays is how many days of all streams but one are cut now and not at their end.
func (s *State) cutDays(but *Day) (n int) {
	for _, st := range s.streams {
		n += st.days.cutDays(but)
	}
	return n
}

// cutDays is how many of the days but one are cut now and not at their end.
func (l days) cutDays(but *Day) (n int) {
	for _, d := range l {
		if d != but && d.isCut() {
			n++
		}
	}
	return n
}

// loadCuts takes over the cuts that the service's record has.
func (l days) loadCuts(cuts map[schema.Day]ledger.Truncation) {
	for at, cut := range cuts {
		if d := l[at]; d != nil {
			d.cut = truncation{cut}
		}
	}
}

// cuts are those to keep, of days from oldest on.
func (l days) cuts(oldest schema.Day) map[schema.Day]ledger.Truncation {
	cuts := map[schema.Day]ledger.Truncation{}
	for at, d := range l {
		if at >= oldest && (d.cut.Cut != "" || len(d.cut.Letters) > 0) {
			cuts[at] = d.cut.Truncation
		}
	}
	return cuts
}

// Accept makes the days due whose answers had this kind of cut: from now on such an
// answer counts as complete.
func (s *State) Accept(cut schema.Cut, now time.Time) {
	for _, st := range s.streams {
		for _, d := range st.days {
			if d.cut.Cut == cut {
				d.endWait(now)
			}
		}
	}
}
