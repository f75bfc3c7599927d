package e2e

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// profileModel says what a topic of profiles may hold, and what it must hold, by what the API
// has served and what a consumer has read. Of the program it knows only the numbers of its
// exports, and how its runs ended. It fails the test for anything else in the topic.
type profileModel struct {
	t     *testing.T
	after time.Duration // DELETE_AFTER
	most  float64       // DELETE_MOST

	table    map[string]profileRow // what a consumer has that reads all of the topic
	absent   map[string]absence    // of keys of the table
	deleted  []*deletedProfiles
	approved approvedDeletes
	runs     []*profileRun

	gone              map[string]bool // keys that were deleted once
	returned          int             // of these, published again
	tombstones        int
	waiting, withheld map[string]bool // keys that a settled snapshot lacked and the topic kept: for lack of another one, and for doubts
}

// profileRow is a profile as the topic has it.
type profileRow struct {
	city      string
	export    int
	partition int32
}

// absence is since when whole answers have lacked a key that was not published meanwhile:
// answers that the program has evaluated, and those that it may have. The zero time means none.
type absence struct{ surely, perhaps time.Time }

// deletedProfiles are the deletes of one run: those that were seen, and those that may have
// been counted although nobody sees them.
type deletedProfiles struct {
	at            time.Time
	seen, perhaps int
}

// approvedDeletes are how many absent profiles are permitted at least, and at most: a run that
// was killed may have ended an approval.
type approvedDeletes struct {
	least, most int
	until       time.Time
}

// profileRun is one run of the program.
type profileRun struct {
	first, last int // numbers of its exports: above first, up to last
	answers     []servedSnapshot
	end         runEnd
	quiet       bool // all brokers were there: the program has evaluated each answer before the next one
	deleted     *deletedProfiles
	may, must   map[string]bool // be deleted
	confirmed   bool            // its last answer shows who is absent, and no more are than may be deleted
	unclear     bool            // it may, for all that is known
}

// runEnd is how a run ended.
type runEnd int

const (
	settled   runEnd = iota // its last answer was read to its end and evaluated
	failed                  // each of its answers was read as far as it goes, and evaluated
	disturbed               // nobody knows how far it came
)

func newProfileModel(t *testing.T, after time.Duration, most float64) *profileModel {
	return &profileModel{t: t, after: after, most: most, table: map[string]profileRow{}, absent: map[string]absence{},
		gone: map[string]bool{}, waiting: map[string]bool{}, withheld: map[string]bool{}}
}

// observe takes a run that has ended, and what the topic has more since the run before.
func (m *profileModel) observe(run *profileRun, news []message) {
	m.t.Helper()
	run.may, run.must, run.deleted = map[string]bool{}, map[string]bool{}, &deletedProfiles{}
	late := 0 // records of former runs, which the broker had not shown when these were over
	for _, r := range news {
		if n := m.exportOf(r); n > run.last {
			m.t.Errorf("key %s: export %d, and the ledger knows of %d only", r.Key, n, run.last)
		} else if n <= run.first {
			m.applyLate(r, n)
			late++
		}
	}
	if late > 0 {
		m.t.Logf("%d records of killed runs were seen late", late)
	}
	for i := range run.answers {
		m.evaluate(run, &run.answers[i], run.end == failed || run.end == settled && (run.quiet || i == len(run.answers)-1))
	}
	for _, r := range news {
		if n := m.exportOf(r); n > run.first {
			m.apply(run, r, n)
		}
	}
	if run.end == disturbed {
		run.deleted.perhaps = len(run.may) - run.deleted.seen
	}
	m.deleted, m.runs = append(m.deleted, run.deleted), append(m.runs, run)
	if run.end == settled {
		m.settle(run)
	}
	run.answers, run.must = nil, nil
}

func (m *profileModel) exportOf(r message) int {
	n, err := strconv.Atoi(r.Export[strings.LastIndex(r.Export, "/")+1:])
	if err != nil {
		m.t.Fatalf("key %s: export %q", r.Key, r.Export)
	}
	return n
}

// evaluate says what may and must follow from an answer. surely says that the program has
// evaluated it.
func (m *profileModel) evaluate(run *profileRun, a *servedSnapshot, surely bool) {
	run.deleted.at = a.at
	gone, profiles := m.lacking(a)
	spentLeast, spentMost := m.spent(a.at)
	least, most := m.permitted(a.at)
	ceiling := min(max(10, int(m.most*float64(profiles))), profiles/2)
	mayConfirm := a.why == "" && (len(gone) == 0 || len(gone)+spentLeast <= ceiling || len(gone) <= most)
	mustConfirm := surely && a.why == "" && (len(gone) == 0 || len(gone)+spentMost <= ceiling || len(gone) <= least)
	run.confirmed, run.unclear = mustConfirm, surely && mayConfirm != mustConfirm
	for key := range m.absent {
		if a.has(key) {
			m.meet(key, surely)
		}
	}
	for _, key := range gone {
		if !mayConfirm {
			break
		}
		since := m.absent[key]
		if longAgo(since.perhaps, a.at, m.after) {
			run.may[key] = true
		}
		if mustConfirm && longAgo(since.surely, a.at, m.after) {
			run.must[key] = true
		}
		if since.perhaps.IsZero() {
			since.perhaps = a.at
		}
		if mustConfirm && since.surely.IsZero() {
			since.surely = a.at
		}
		m.absent[key] = since
	}
	if len(gone) == 0 && a.ended {
		if m.approved.least = 0; surely {
			m.approved.most = 0
		}
	}
}

// lacking are the keys of the table that an answer does not have, and how many profiles the
// topic has when its rows are published.
func (m *profileModel) lacking(a *servedSnapshot) (gone []string, profiles int) {
	for key := range m.table {
		if !a.has(key) {
			gone = append(gone, key)
		}
	}
	return gone, len(a.had) + len(gone)
}

func longAgo(since, now time.Time, after time.Duration) bool {
	return !since.IsZero() && now.Sub(since) >= after
}

// meet notes that an answer had a row of an absent key.
func (m *profileModel) meet(key string, surely bool) {
	since := m.absent[key]
	if since.surely = (time.Time{}); surely {
		delete(m.absent, key)
		return
	}
	m.absent[key] = since
}

// spent is how many profiles were deleted within seven days, at least and at most.
func (m *profileModel) spent(now time.Time) (least, most int) {
	for _, d := range m.deleted {
		if now.Sub(d.at) < 7*24*time.Hour {
			least += d.seen
			most += d.seen + d.perhaps
		}
	}
	return least, most
}

// approve notes that so many absent profiles are permitted from the next run on.
func (m *profileModel) approve(n int, at time.Time) {
	m.approved = approvedDeletes{least: n, most: n, until: at.Add(7 * 24 * time.Hour)}
}

func (m *profileModel) permitted(now time.Time) (least, most int) {
	if now.After(m.approved.until) {
		return 0, 0
	}
	return m.approved.least, m.approved.most
}
