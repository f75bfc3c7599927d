package schedule

import (
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// An answer whose content shows that it is cut is the trouble of its day alone: the connection works, and other days may be whole. The rows before
// the cut are published. The day is exported again at its usual pace, ever more slowly while the answers are cut in the same place, so that an API
// that never ends its last line does not use up the quota on the days in reach.

const (
	// maxCutWait bounds the doubled pace: each day in reach is tried once a day at least.
	maxCutWait = 24 * time.Hour
	// maxSnapshotWait is the pace of a snapshot that is cut: its polls may be a day apart, and the next day has another.
	maxSnapshotWait = time.Hour
	// fewCuts is how many days at most are cut while Once tries them again in the same run: a cut of few days may be chance, one of many is how
	// the API answers.
	fewCuts = 3
)

// truncated notes an answer that is cut, and returns until when the day waits.
func (s *step) truncated() time.Time {
	c, f, started := &s.d.cut, s.o.Failure, s.o.Started
	if c.Cut != f.Cut || c.At != f.CutAt {
		c.Times = 0
	}
	c.Cut, c.At, c.Started = f.Cut, f.CutAt, &started
	today := s.today(s.now)
	if s.d.name.Day < today && !c.Reported {
		c.Reported = true
		s.tell(Event{Kind: DayCut, Cut: f.Cut, Code: f.Code, Detail: f.Detail})
	}
	if once := s.policy.Once; once != nil && s.d.failed < once.Attempts && s.cutDays() <= fewCuts {
		return s.now.Add(s.backoff(s.d.failed))
	}
	c.Times++
	return started.Add(s.st.cutWait(s.d.name.Day == today, c.Times, s.o.Took))
}

// cutDays is how many days are cut now and not at their end.
func (s *State) cutDays() (n int) {
	for _, st := range s.streams {
		for _, d := range st.days {
			if d.cut.Cut != "" && (d.record.State == ledger.Pending || d.record.State == ledger.Open) {
				n++
			}
		}
	}
	return n
}

// cutWait is how long after its last call a day waits that was cut in the same place for the n-th time. took is the time that the call took.
func (s *Stream) cutWait(ofToday bool, n int, took time.Duration) time.Duration {
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

// CutLetters are the cuts of the day that have a dead letter: it has one of each.
func (s *State) CutLetters(name ledger.DayName) []schema.Cut {
	return slices.Clone(s.day(name).cut.Letters)
}

// Accept makes the days due whose answers had this kind of cut: from now on such an answer counts as complete.
func (s *State) Accept(cut schema.Cut, now time.Time) {
	for _, st := range s.streams {
		for _, d := range st.days {
			if was := d.record.Error; d.cut.Cut == cut && was != nil && was.Until.After(now) {
				is := *was
				is.Until = now
				d.record.Error, d.changed = &is, true
			}
		}
	}
}

// enterCuts writes the cuts of days in reach into the service's record. Those of streams that are not configured stay.
func (s *State) enterCuts(service *ledger.Service, now time.Time) {
	oldest := s.today(now) - schema.Reach
	for _, st := range s.streams {
		days := map[schema.Day]ledger.Truncation{}
		for day, d := range st.days {
			if day >= oldest && (d.cut.Cut != "" || len(d.cut.Letters) > 0) {
				days[day] = d.cut
			}
		}
		switch {
		case len(days) == 0:
			delete(service.Cuts, st.Name)
		case service.Cuts == nil:
			service.Cuts = map[string]map[schema.Day]ledger.Truncation{st.Name: days}
		default:
			service.Cuts[st.Name] = days
		}
	}
}

func (s *stream) loadCuts(service *ledger.Service) {
	for day, cut := range service.Cuts[s.Name] {
		if d := s.days[day]; d != nil {
			d.cut = cut
		}
	}
}
