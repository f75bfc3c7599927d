package e2e

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// profileModel computes from the answers of the API which records a topic of profiles may have
// and must have, and fails the test for all others. Of the program it uses only the numbers of
// exports and how each run ended.
type profileModel struct {
	t     *testing.T
	after time.Duration // DELETE_AFTER
	most  float64       // DELETE_MOST

	table    map[string]profileRow // the newest record of each key
	absent   map[string]absence    // keys of the table that were absent
	deleted  []*deletedProfiles
	approved approvedDeletes
	runs     []*profileRun

	gone              map[string]bool // keys that have been deleted
	returned          int             // how many of these were published again
	tombstones        int
	waiting, withheld map[string]bool // absent keys that were kept: until another snapshot, or because the snapshot proved nothing
}

// profileRow is the newest record of a profile.
type profileRow struct {
	city      string
	export    int
	partition int32
}

// absence is the time of the first complete answer without a key, if it was not published
// since: of the answers that the program has evaluated, and of those that it may have
// evaluated. The zero time means none.
type absence struct{ evaluated, possible time.Time }

// deletedProfiles counts the deletes of a run: those in the topic, and those that the ledger
// may count although the topic does not have them.
type deletedProfiles struct {
	at             time.Time
	seen, possible int
}

// approvedDeletes is the approved number of absent profiles, as a range: a run that was killed
// may have ended an approval.
type approvedDeletes struct {
	least, most int
	until       time.Time
}

// profileRun is one run of the program.
type profileRun struct {
	first, last int // numbers of its exports: after first, up to last
	answers     []servedSnapshot
	end         runEnd
	brokersUp   bool // no broker was down: the program has evaluated each answer before the next one
	deleted     *deletedProfiles
	may, must   map[string]bool // be deleted
	confirmed   bool            // its last answer was complete and allowed deletes
	unclear     bool            // whether it did is not known
}

// runEnd is how a run ended.
type runEnd int

const (
	succeeded   runEnd = iota // its last answer was complete and was evaluated
	failed                    // each of its answers was evaluated
	interrupted               // it was killed: which answers were evaluated is not known
)

func newProfileModel(t *testing.T, after time.Duration, most float64) *profileModel {
	return &profileModel{t: t, after: after, most: most, table: map[string]profileRow{}, absent: map[string]absence{},
		gone: map[string]bool{}, waiting: map[string]bool{}, withheld: map[string]bool{}}
}

// observe checks a run that has ended, by the new records of the topic.
func (m *profileModel) observe(run *profileRun, news []message) {
	m.t.Helper()
	run.may, run.must, run.deleted = map[string]bool{}, map[string]bool{}, &deletedProfiles{}
	late := 0 // records of earlier runs that were not visible when these ended
	for _, r := range news {
		if n := m.exportOf(r); n > run.last {
			m.t.Errorf("key %s: export %d is after the last one in the ledger, %d", r.Key, n, run.last)
		} else if n <= run.first {
			m.applyLate(r, n)
			late++
		}
	}
	if late > 0 {
		m.t.Logf("%d records of killed runs became visible late", late)
	}
	for i := range run.answers {
		m.evaluate(run, &run.answers[i], run.end == failed || run.end == succeeded && (run.brokersUp || i == len(run.answers)-1))
	}
	for _, r := range news {
		if n := m.exportOf(r); n > run.first {
			m.apply(run, r, n)
		}
	}
	if run.end == interrupted {
		run.deleted.possible = len(run.may) - run.deleted.seen
	}
	m.deleted, m.runs = append(m.deleted, run.deleted), append(m.runs, run)
	if run.end == succeeded {
		m.compareWithLastAnswer(run)
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

// evaluate computes which keys may and must be deleted after an answer. evaluated is whether
// the program has certainly evaluated it.
func (m *profileModel) evaluate(run *profileRun, a *servedSnapshot, evaluated bool) {
	run.deleted.at = a.at
	gone, profiles := m.absentKeys(a)
	spentLeast, spentMost := m.recentDeletes(a.at)
	least, most := m.permitted(a.at)
	ceiling := min(max(10, int(m.most*float64(profiles))), profiles/2)
	mayConfirm := a.why == "" && (len(gone) == 0 || len(gone)+spentLeast <= ceiling || len(gone) <= most)
	mustConfirm := evaluated && a.why == "" && (len(gone) == 0 || len(gone)+spentMost <= ceiling || len(gone) <= least)
	run.confirmed, run.unclear = mustConfirm, evaluated && mayConfirm != mustConfirm
	for key := range m.absent {
		if a.has(key) {
			m.recordPresent(key, evaluated)
		}
	}
	for _, key := range gone {
		if !mayConfirm {
			break
		}
		since := m.absent[key]
		if elapsed(since.possible, a.at, m.after) {
			run.may[key] = true
		}
		if mustConfirm && elapsed(since.evaluated, a.at, m.after) {
			run.must[key] = true
		}
		if since.possible.IsZero() {
			since.possible = a.at
		}
		if mustConfirm && since.evaluated.IsZero() {
			since.evaluated = a.at
		}
		m.absent[key] = since
	}
	if len(gone) == 0 && a.ended {
		if m.approved.least = 0; evaluated {
			m.approved.most = 0
		}
	}
}

// absentKeys returns the keys of the table that an answer does not have, and the number of
// profiles in the topic after the answer's rows are published.
func (m *profileModel) absentKeys(a *servedSnapshot) (gone []string, profiles int) {
	for key := range m.table {
		if !a.has(key) {
			gone = append(gone, key)
		}
	}
	return gone, len(a.had) + len(gone)
}

func elapsed(since, now time.Time, after time.Duration) bool {
	return !since.IsZero() && now.Sub(since) >= after
}

// recordPresent records that an answer had a row of an absent key.
func (m *profileModel) recordPresent(key string, evaluated bool) {
	since := m.absent[key]
	if since.evaluated = (time.Time{}); evaluated {
		delete(m.absent, key)
		return
	}
	m.absent[key] = since
}

// recentDeletes returns the minimum and maximum number of deletes within seven days.
func (m *profileModel) recentDeletes(now time.Time) (least, most int) {
	for _, d := range m.deleted {
		if now.Sub(d.at) < 7*24*time.Hour {
			least += d.seen
			most += d.seen + d.possible
		}
	}
	return least, most
}

// approve records an approval of n absent profiles.
func (m *profileModel) approve(n int, at time.Time) {
	m.approved = approvedDeletes{least: n, most: n, until: at.Add(7 * 24 * time.Hour)}
}

func (m *profileModel) permitted(now time.Time) (least, most int) {
	if now.After(m.approved.until) {
		return 0, 0
	}
	return m.approved.least, m.approved.most
}
