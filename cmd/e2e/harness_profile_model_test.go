package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// profileModel says what a topic of profiles may hold, and what it must hold, by what the API has served and what a consumer has read. Of the
// program it knows only the numbers of its exports, and how its runs ended. It fails the test for anything else in the topic.
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

// absence is since when whole answers have lacked a key that was not published meanwhile: answers that the program has evaluated, and those that it
// may have. The zero time means none.
type absence struct{ surely, perhaps time.Time }

// deletedProfiles are the deletes of one run: those that were seen, and those that may have been counted although nobody sees them.
type deletedProfiles struct {
	at            time.Time
	seen, perhaps int
}

// approvedDeletes are how many absent profiles are permitted at least, and at most: a run that was killed may have ended an approval.
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

// evaluate says what may and must follow from an answer. surely says that the program has evaluated it.
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

// lacking are the keys of the table that an answer does not have, and how many profiles the topic has when its rows are published.
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

// apply takes a record of a run.
func (m *profileModel) apply(run *profileRun, r message, n int) {
	m.t.Helper()
	former, is := m.place(r, n)
	if r.Headers["op"] == "d" && r.Value == "" {
		if !is || !run.may[r.Key] {
			m.t.Errorf("%s was deleted by export %d, it was in the topic: %t; two whole answers lacked it, far enough apart: %t", r.Key, n, is, run.may[r.Key])
		}
		m.remove(r.Key, run)
		return
	}
	city := m.cityOf(r)
	served := false
	for i := range run.answers {
		served = served || run.answers[i].has(r.Key) && run.answers[i].had[r.Key] == city
	}
	want := "c"
	if is {
		want = "u"
	}
	if r.Headers["op"] != want || is && former.city == city || !served {
		m.t.Errorf("%s has the op %q of export %d, want %q; it is %q, it was %q; it was served so: %t", r.Key, r.Headers["op"], n, want, city, former.city, served)
	}
	if !is && m.gone[r.Key] {
		m.returned++
	}
	m.put(r, n, city)
}

// applyLate takes a record of a former run.
func (m *profileModel) applyLate(r message, n int) {
	m.t.Helper()
	m.place(r, n)
	if r.Value != "" {
		m.put(r, n, m.cityOf(r))
		return
	}
	for _, run := range m.runs {
		if n > run.first && n <= run.last {
			if !run.may[r.Key] {
				m.t.Errorf("%s was deleted by export %d, and was not absent twice", r.Key, n)
			}
			m.remove(r.Key, run)
			run.deleted.perhaps--
		}
	}
}

// place checks that the record stands in its key's partition behind those of former exports, and returns the row that it replaces.
func (m *profileModel) place(r message, n int) (former profileRow, is bool) {
	m.t.Helper()
	former, is = m.table[r.Key]
	if is && (former.partition != r.Partition || former.export >= n) {
		m.t.Errorf("key %s: export %d in partition %d behind export %d in partition %d", r.Key, n, r.Partition, former.export, former.partition)
	}
	return former, is
}

func (m *profileModel) put(r message, n int, city string) {
	delete(m.absent, r.Key)
	m.table[r.Key] = profileRow{city, n, r.Partition}
}

func (m *profileModel) remove(key string, run *profileRun) {
	m.tombstones++
	m.gone[key] = true
	run.deleted.seen++
	delete(m.table, key)
	delete(m.absent, key)
}

// cityOf is the cell of a record whose value has no others than its key and that one, unless it is empty.
func (m *profileModel) cityOf(r message) string {
	m.t.Helper()
	return cityOf(m.t, r)
}

func cityOf(t *testing.T, r message) (city string) {
	t.Helper()
	cells := (&testbed{t: t}).decodeCells(r.Value)
	for _, c := range cells {
		switch {
		case c.name == "city" && c.value != "":
			city = c.value
		case c.name != "df_unified_id" || c.value != r.Key:
			t.Errorf("key %s has the cell %s=%q", r.Key, c.name, c.value)
		}
	}
	if want := min(1, len(city)) + 1; len(cells) != want {
		t.Errorf("key %s has %d cells, want %d: %s", r.Key, len(cells), want, r.Value)
	}
	return city
}

// settle compares the topic with the last answer of a run that has ended well: it has each row of it, and besides only profiles that may not be
// deleted yet.
func (m *profileModel) settle(run *profileRun) {
	m.t.Helper()
	last := run.answers[len(run.answers)-1]
	wrong := 0
	complain := func(format string, args ...any) {
		if wrong++; wrong <= 10 {
			m.t.Errorf(format, args...)
		}
	}
	for key, city := range last.had {
		if row, is := m.table[key]; !is || row.city != city {
			complain("%s is %q in the topic (there: %t), want %q", key, row.city, is, city)
		}
	}
	for key := range m.table {
		switch {
		case last.has(key):
		case run.must[key]:
			complain("%s is still in the topic; two whole answers lacked it, far enough apart, and nothing withholds its deletion", key)
		case run.confirmed:
			m.waiting[key] = true
		default:
			m.withheld[key] = true
		}
	}
	if wrong > 0 {
		m.t.Errorf("%d profiles are wrong after export %d", wrong, run.last)
	}
}

// kept is how many profiles the topic has that an answer does not have.
func (m *profileModel) kept(a *servedSnapshot) int {
	n := 0
	for key := range m.table {
		if !a.has(key) {
			n++
		}
	}
	return n
}

// expectTable compares what a consumer has read of the whole topic, each key with each cell.
func (m *profileModel) expectTable(records []message) {
	m.t.Helper()
	got := map[string]string{}
	for _, r := range records {
		if delete(got, r.Key); r.Value != "" {
			got[r.Key] = cityOf(m.t, r)
		}
	}
	wrong := ""
	for key, city := range got {
		if row, is := m.table[key]; (!is || row.city != city) && len(wrong) < 1000 {
			wrong += fmt.Sprintf("\n%s is %q, want %q (there: %t)", key, city, row.city, is)
		}
	}
	if len(got) != len(m.table) || wrong != "" {
		m.t.Errorf("the topic has %d profiles, a consumer that has read all of it has %d%s", len(got), len(m.table), wrong)
	}
}
