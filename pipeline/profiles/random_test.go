package profiles

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"dfinery-kafka/pipeline/ledger"
)

func newModel(t *testing.T, seed uint64) *model {
	random := rand.New(rand.NewPCG(seed, 20))
	m := &model{t: t, random: random, now: time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), source: map[string]int{},
		policy: Policy{After: []time.Duration{0, 24 * time.Hour}[random.IntN(2)], Most: 0.05}, topic: make([][]line, 1+random.IntN(4)), steps: -1}
	for i := range 1 + random.IntN([]int{6, 40}[random.IntN(2)]) {
		m.source[fmt.Sprint("p", i)] = 0
	}
	return m
}

func (m *model) change() {
	for key := range m.source {
		switch m.random.IntN(12) {
		case 0:
			m.source[key] = m.random.IntN(3)
		case 1:
			if m.random.IntN(3) == 0 {
				delete(m.source, key)
			}
		}
	}
	for range m.random.IntN(3) {
		m.source[fmt.Sprint("p", m.random.IntN([]int{6, 45}[m.random.IntN(2)]))] = m.random.IntN(3)
	}
}

func (m *model) someKeys(n int) map[string]bool {
	some := map[string]bool{}
	for key := range m.source {
		if m.random.IntN(n) == 0 {
			some[key] = true
		}
	}
	return some
}

func (m *model) randomDefects() defects {
	d := defects{request: "all"}
	switch m.random.IntN(12) {
	case 0:
		d.cut = true
	case 1:
		d.unframed, d.lacks = true, m.someKeys(2)
	case 2:
		d.repeats, d.lacks = true, m.someKeys(3)
	case 3:
		d.unreadable = true
	case 4:
		d.lacks = m.someKeys(10)
	case 5:
		d.lacks = m.someKeys(1) // empty
	case 6:
		d.request, d.lacks = "audience", m.someKeys(2)
	case 7:
		d.refused = m.someKeys(5)
	}
	return d
}

// checkTopic makes exports without faults and checks that the topic then equals the source.
func (m *model) checkTopic() {
	m.steps = -1
	for range 4 {
		m.now = m.now.Add(25 * time.Hour)
		m.record.Approved = &ledger.Approval{N: 1000, Until: m.now.Add(Window)}
		m.export(defects{request: "all"})
	}
	table := m.inTopic()
	for key, value := range m.source {
		if table[key] != fmt.Sprint("v", value) {
			m.t.Fatalf("%s is %q in the topic, %d in the source", key, table[key], value)
		}
	}
	if len(m.source) > 0 && len(table) != len(m.source) {
		m.t.Fatalf("the topic has %d profiles, the source %d", len(table), len(m.source))
	}
}

// TestDecide_RandomHistories makes random changes, exports, crashes and losses, and checks
// that every delete was allowed and that the topic equals the source at the end.
// PROFILE_HISTORIES is how many times; 1,000 if it is not set.
func TestDecide_RandomHistories(t *testing.T) {
	histories := uint64(1000)
	if more, err := strconv.ParseUint(os.Getenv("PROFILE_HISTORIES"), 10, 64); err == nil {
		histories = more
	}
	for seed := range histories {
		m := newModel(t, seed)
		for range 12 {
			m.now = m.now.Add(time.Duration(m.random.IntN(30)) * time.Hour)
			m.change()
			m.steps = -1
			if m.random.IntN(3) == 0 {
				m.steps = m.random.IntN(50)
			}
			m.export(m.randomDefects())
			switch m.random.IntN(12) {
			case 0:
				m.compact()
			case 1:
				m.record.AgainFrom = m.record.N + 1
			case 2:
				m.record, m.spent = ledger.Profiles{}, nil // the ledger is lost
			case 3:
				m.record.Approved = &ledger.Approval{N: m.record.Withheld, Until: m.now.Add(Window)}
			case 4:
				m.record.Absent.Ranges = nil // the marks are lost
			}
		}
		m.checkTopic()
		if t.Failed() {
			t.Fatalf("failed with seed %d", seed)
		}
	}
}

// TestDecide_CrashAfterEachStep repeats the same exports with a crash after each of their
// writes, and checks the profiles in the topic and the number of deletes in the ledger.
func TestDecide_CrashAfterEachStep(t *testing.T) {
	for at := 0; ; at++ {
		m := newModel(t, 4711)
		m.topic, m.policy.After = make([][]line, 3), 0
		m.export(defects{request: "all"})
		delete(m.source, "p1")
		delete(m.source, "p2")
		m.source["p0"] = 9
		m.export(defects{request: "all"})
		m.source["p3"] = 9
		m.steps = at
		crashed := m.export(defects{request: "all"})
		m.steps = -1
		m.export(defects{request: "all"})
		if got, want := len(m.inTopic()), len(m.source); got != want {
			t.Fatalf("crash after step %d: the topic has %d profiles, the source %d", at, got, want)
		}
		if spent := recentlyDeleted(m.record.Deletes, m.now); spent != 2 {
			t.Errorf("crash after step %d: the record counts %d deletes, want 2", at, spent)
		}
		if !crashed {
			if at < 5 {
				t.Fatalf("the export has %d steps, want at least 5", at)
			}
			return
		}
	}
}
