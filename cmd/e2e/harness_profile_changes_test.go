package e2e

import (
	"fmt"
)

var cities = []string{"Seoul", "Busan", "Jeju", "", "서울", `Seo,ul`, `"Seoul"`, "Seo\nul", " Seoul ", "Sëoul 🛍", `Seo\ul`}

func (m *profileHistory) city() string { return cities[m.random.IntN(len(cities))] }

// changeProfiles changes one profile in a hundred, removes a few, and adds or restores a few.
// At times it removes many at once, which the next call may restore.
func (m *profileHistory) changeProfiles() {
	m.source.mu.Lock()
	defer m.source.mu.Unlock()
	all := m.source.profiles
	some := func(n int, is bool, do func(key string)) {
		for tries := 20 * n; n > 0 && tries > 0; tries-- {
			key := fmt.Sprint("user", m.random.IntN(m.profiles+m.profiles/5))
			if _, has := all[key]; has == is {
				do(key)
				n--
			}
		}
	}
	removeProfile := func(key string) {
		m.gone[key] = all[key]
		delete(all, key)
	}
	some(1+m.profiles/100, true, func(key string) { all[key] = m.city() })
	some(1+m.profiles/3000, false, func(key string) {
		if all[key] = m.gone[key]; m.random.IntN(2) == 0 {
			all[key] = m.city()
		}
		delete(m.gone, key)
	})
	some(1+m.profiles/1500, true, removeProfile)
	if len(m.removed) > 0 && m.random.IntN(2) == 0 {
		for _, key := range m.removed {
			if city, is := m.gone[key]; is {
				all[key] = city
				delete(m.gone, key)
			}
		}
		m.happened["mass removals that were undone"]++
	}
	m.removed = nil
	if m.massRemovals.next() {
		some(15+m.profiles/40, true, func(key string) {
			m.removed = append(m.removed, key)
			removeProfile(key)
		})
		m.happened["mass removals"]++
	}
	if m.real {
		m.clock.seconds.Add(int64(m.advances.next()) * 3600)
	}
}

// toggleProfiles removes and restores some profiles, half of them with another cell.
func (m *profileHistory) toggleProfiles() {
	m.source.set(func(s *profileSource) {
		for i := range 4 + m.profiles/2000 {
			key := fmt.Sprint("toggled", i)
			if _, is := s.profiles[key]; is && m.random.IntN(2) == 0 {
				m.gone[key] = s.profiles[key]
				delete(s.profiles, key)
			} else if !is && m.random.IntN(2) == 0 {
				if s.profiles[key] = m.gone[key]; m.random.IntN(2) == 0 {
					s.profiles[key] = m.city()
				}
			}
		}
	})
}

// setDefects sets the defects of the next answers.
func (m *profileHistory) setDefects(d defect) {
	third := map[string]bool{}
	if d == withBadRow || d == withKeyTwice || d == withoutAThird {
		for i := range m.profiles + m.profiles/5 {
			third[fmt.Sprint("user", i)] = m.random.IntN(3) == 0
		}
	}
	next := answerDefects{cut: d == cutShort, truncated: d == truncatedAtRow, empty: d == withoutRows, lacks: third}
	switch d {
	case withBadRow:
		next.insert = []string{"broken\n"}
	case withEmptyKey:
		next.insert = []string{",Seoul\n"}
	case withRowTwice:
		next.insert = []string{"twice,a\n", "twice,a\n"}
	case withKeyTwice:
		next.insert = []string{"twice,a\n", "twice,b\n"}
	}
	m.source.set(func(s *profileSource) { s.next = next })
}
