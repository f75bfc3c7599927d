package e2e

import (
	"fmt"
	"testing"
)

// apply checks a record of the run and adds it to the table.
func (m *profileModel) apply(run *profileRun, r message, n int) {
	m.t.Helper()
	former, is := m.place(r, n)
	if r.Headers["op"] == "d" && r.Value == "" {
		if !is || !run.may[r.Key] {
			m.t.Errorf("%s was deleted by export %d; in the topic before: %t; absent from two complete answers, far enough apart: %t", r.Key, n, is, run.may[r.Key])
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
		m.t.Errorf("%s has op %q in export %d, want %q; value %q, previous value %q; the API served it: %t", r.Key, r.Headers["op"], n, want, city, former.city, served)
	}
	if !is && m.gone[r.Key] {
		m.returned++
	}
	m.put(r, n, city)
}

// applyLate checks a record of an earlier run and adds it to the table.
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
				m.t.Errorf("%s was deleted by export %d, but was not absent twice", r.Key, n)
			}
			m.remove(r.Key, run)
			run.deleted.possible--
		}
	}
}

// place checks that a record is in the partition of its key and follows records of earlier
// exports only. It returns the row that it replaces.
func (m *profileModel) place(r message, n int) (former profileRow, is bool) {
	m.t.Helper()
	former, is = m.table[r.Key]
	if is && (former.partition != r.Partition || former.export >= n) {
		m.t.Errorf("key %s: export %d in partition %d follows export %d in partition %d", r.Key, n, r.Partition, former.export, former.partition)
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

// cityOf returns the cell "city", and checks that the record has no other cells than the key.
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

// compareWithLastAnswer compares the topic with the last answer of a run that succeeded: it
// must have every row of the answer, and no profile that had to be deleted.
func (m *profileModel) compareWithLastAnswer(run *profileRun) {
	m.t.Helper()
	last := run.answers[len(run.answers)-1]
	wrong := 0
	report := func(format string, args ...any) {
		if wrong++; wrong <= 10 {
			m.t.Errorf(format, args...)
		}
	}
	for key, city := range last.had {
		if row, is := m.table[key]; !is || row.city != city {
			report("%s is %q in the topic (present: %t), want %q", key, row.city, is, city)
		}
	}
	for key := range m.table {
		switch {
		case last.has(key):
		case run.must[key]:
			report("%s is still in the topic, but was absent from two complete answers, far enough apart", key)
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

// kept counts the profiles in the topic that an answer does not have.
func (m *profileModel) kept(a *servedSnapshot) int {
	n := 0
	for key := range m.table {
		if !a.has(key) {
			n++
		}
	}
	return n
}

// expectTable compares all records of the topic with the table.
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
			wrong += fmt.Sprintf("\n%s is %q, want %q (present: %t)", key, city, row.city, is)
		}
	}
	if len(got) != len(m.table) || wrong != "" {
		m.t.Errorf("the topic has %d profiles, want %d%s", len(got), len(m.table), wrong)
	}
}
