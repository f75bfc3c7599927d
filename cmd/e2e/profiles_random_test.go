package e2e

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestProfiles_Random has snapshots whose profiles change, vanish one by one and in waves, and
// come back, while answers are cut, empty, truncated, shortened, repeat keys or have bad rows,
// and the program is killed at random times, in the middle of an answer, and between its steps.
// After each run the topic is compared with what the API has served, and after each snapshot
// that went well all of it is.
//
// PROFILE_ROWS and PROFILE_RUNS make it larger, CRASH_SEED repeats it. With KAFKA_TEST_BROKERS
// a snapshot is a day after the one before, or some hours, and the topic is compacted behind
// each, and during some. With KAFKA_TEST_DIR, the directory of a deploy/kafka-up.sh of three
// nodes, brokers are killed as well.
func TestProfiles_Random(t *testing.T) {
	t.Parallel()
	m := newProfileMonth(t)
	for range m.snapshots {
		m.churn()
		m.disturb()
		m.finishSnapshot(m.defects.draw())
		m.approveSometimes()
	}
	m.end()
	m.report()
}

// disturb kills the program some times, and brokers.
func (m *profileMonth) disturb() {
	kills := m.kills.draw()
	outage := m.random.IntN(kills + 1) // before which run
	for n := range kills + 1 {
		if n == outage && m.brokersDie {
			m.killBrokers(m.outages.draw())
		}
		if n < kills {
			m.run(noDefect, m.killed.draw(), nil)
		}
	}
}

// killBrokers kills so many brokers, soon; each comes back after some seconds.
func (m *profileMonth) killBrokers(n int) {
	m.awaitBrokers()
	for _, broker := range m.random.Perm(3)[:n] {
		after, away := time.Duration(m.random.Int64N(int64(m.took))), time.Duration(1+m.random.IntN(8))*time.Second
		m.outage = true
		m.down.Add(1)
		time.AfterFunc(after, func() {
			m.killBroker(1 + broker)
			time.AfterFunc(away, func() {
				defer m.down.Done()
				m.startBroker(1 + broker)
			})
		})
		m.happened["kills of brokers"]++
	}
}

// awaitBrokers waits until all brokers are there, and each has all of the topics.
func (m *profileMonth) awaitBrokers() {
	if m.outage {
		m.down.Wait()
		for _, address := range strings.Split(m.brokers, ",") { // until it is back, a broker can look as if it were in sync
			m.await("a broker listens", func() bool {
				conn, err := net.Dial("tcp", address)
				if err == nil {
					err = conn.Close()
				}
				return err == nil
			})
		}
		m.awaitInSync()
		m.outage = false
	}
}

// finishSnapshot lets the program export a snapshot that has a defect.
func (m *profileMonth) finishSnapshot(d defect) {
	var during func(*process)
	if m.real && !m.outage && m.random.IntN(3) == 0 {
		during = func(p *process) {
			p.await(isOwner)
			m.letCompact("users")
			m.happened["compactions during a run"]++
		}
	}
	m.run(d, "", during)
	m.happened["answers "+string(d)]++
	m.t.Logf("%s: a snapshot %s", time.Since(m.began).Round(time.Second), d)
	if m.real {
		m.model.expectTable(m.compactKeys("users"))
		m.happened["compactions"]++
	}
}

// approveSometimes approves deletes that are too many, in one of two cases.
func (m *profileMonth) approveSometimes() {
	if m.overCeiling && m.random.IntN(2) == 0 {
		m.approve()
	}
}

// approve approves more deletes than are withheld, and lets the program carry that out.
func (m *profileMonth) approve() {
	most := m.kept + m.profiles/100 + 1
	m.awaitBrokers()
	m.command(nil, "profiles", "approve", "users", "--most", fmt.Sprint(most), "--wait", "0s")
	m.model.approve(most, m.source.now())
	m.run(noDefect, "", nil)
	m.happened["approvals"]++
}

// end lets the program export sound snapshots until the topic equals the source.
func (m *profileMonth) end() {
	m.awaitBrokers()
	m.ending = true
	for range 3 {
		if m.real {
			m.clock.seconds.Add(25 * 3600)
		}
		if m.run(noDefect, "", nil); m.overCeiling {
			m.approve()
		}
	}
	m.source.mu.Lock()
	defer m.source.mu.Unlock()
	topic := map[string]string{}
	for key, row := range m.model.table {
		topic[key] = row.city
	}
	if !maps.Equal(topic, m.source.profiles) {
		m.t.Errorf("in the end the topic has %d profiles, and the source %d", len(topic), len(m.source.profiles))
	}
}

// report logs what has happened, and fails if something has not that the test is for. Few
// snapshots have not room for everything.
func (m *profileMonth) report() {
	m.happened["deletes"], m.happened["profiles deleted and published again"] = m.model.tombstones, m.model.returned
	m.happened["profiles withheld"], m.happened["profiles that waited for another snapshot"] = len(m.model.withheld), len(m.model.waiting)
	var must []string
	if m.snapshots >= len(m.defects.cards) {
		must = []string{"deletes", "profiles withheld", "profiles that waited for another snapshot", "snapshots over the ceiling", "waves", "approvals"}
		for _, d := range m.defects.cards {
			must = append(must, "answers "+string(d))
		}
		for _, k := range m.killed.cards {
			must = append(must, "kills "+string(k))
		}
		if m.real {
			must = append(must, "compactions during a run")
		}
	}
	if m.real {
		must = append(must, "compactions")
	}
	if m.brokersDie {
		must = append(must, "kills of brokers")
	}
	for _, what := range must {
		if m.happened[what] == 0 {
			m.t.Errorf("there were no %s", what)
		}
	}
	var text strings.Builder
	for _, what := range slices.Sorted(maps.Keys(m.happened)) {
		fmt.Fprintf(&text, "\n%7d %s", m.happened[what], what)
	}
	m.t.Logf("%d profiles, %d snapshots, %s:%s", m.profiles, m.snapshots, time.Since(m.began).Round(time.Second), text.String())
}
