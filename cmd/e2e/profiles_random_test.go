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

// TestProfiles_Random exports snapshots in which profiles change, are removed singly and in
// large numbers, and are restored. Answers are cut, truncated, empty, incomplete, repeat keys or
// have bad rows; the program is killed at random times, in the middle of an answer, and between
// its steps. Each run's new records, and the whole topic after each run that succeeded, are
// compared with the answers.
//
// PROFILE_ROWS and PROFILE_RUNS make it larger, CRASH_SEED repeats it. With KAFKA_TEST_BROKERS
// snapshots are a day or some hours apart, and the topic is compacted after each of them and
// during some. With KAFKA_TEST_DIR, the directory of a deploy/kafka-up.sh of three nodes,
// brokers are killed as well.
func TestProfiles_Random(t *testing.T) {
	t.Parallel()
	m := newProfileHistory(t)
	for range m.snapshots {
		m.changeProfiles()
		m.injectFaults()
		m.finishSnapshot(m.defects.next())
		m.approveSometimes()
	}
	m.end()
	m.report()
}

// injectFaults kills the program and brokers.
func (m *profileHistory) injectFaults() {
	kills := m.kills.next()
	outage := m.random.IntN(kills + 1) // before which run
	for n := range kills + 1 {
		if n == outage && m.brokersDie {
			m.killBrokers(m.outages.next())
		}
		if n < kills {
			m.run(noDefect, m.killed.next(), nil)
		}
	}
}

// killBrokers kills n brokers after random times; each is started again after some seconds.
func (m *profileHistory) killBrokers(n int) {
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

// awaitBrokers waits until all brokers are up and all replicas are in sync.
func (m *profileHistory) awaitBrokers() {
	if m.outage {
		m.down.Wait()
		for _, address := range strings.Split(m.brokers, ",") { // a broker that is still down may be reported as in sync
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

// finishSnapshot exports a snapshot that has a defect.
func (m *profileHistory) finishSnapshot(d defect) {
	var during func(*process)
	if m.real && !m.outage && m.random.IntN(3) == 0 {
		during = func(p *process) {
			p.await(isOwner)
			m.enableCompaction("users")
			m.happened["compactions during a run"]++
		}
	}
	m.run(d, "", during)
	m.happened["answers "+string(d)]++
	m.t.Logf("%s: snapshot %s", time.Since(m.began).Round(time.Second), d)
	if m.real {
		m.model.expectTable(m.compactKeys("users"))
		m.happened["compactions"]++
	}
}

// approveSometimes approves withheld deletes, at random.
func (m *profileHistory) approveSometimes() {
	if m.overCeiling && m.random.IntN(2) == 0 {
		m.approve()
	}
}

// approve approves more deletes than are withheld, and runs the program.
func (m *profileHistory) approve() {
	most := m.kept + m.profiles/100 + 1
	m.awaitBrokers()
	m.command(nil, "profiles", "approve", "users", "--most", fmt.Sprint(most), "--wait", "0s")
	m.model.approve(most, m.source.now())
	m.run(noDefect, "", nil)
	m.happened["approvals"]++
}

// end exports snapshots without defects, and checks that the topic then equals the source.
func (m *profileHistory) end() {
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
		m.t.Errorf("at the end the topic has %d profiles, the source %d", len(topic), len(m.source.profiles))
	}
}

// report logs how often each tested case occurred, and fails the test if one did not, unless
// there were too few snapshots for all of them.
func (m *profileHistory) report() {
	m.happened["deletes"], m.happened["profiles deleted and published again"] = m.model.tombstones, m.model.returned
	m.happened["profiles withheld"], m.happened["profiles that waited for another snapshot"] = len(m.model.withheld), len(m.model.waiting)
	var must []string
	if m.snapshots >= len(m.defects.values) {
		must = []string{"deletes", "profiles withheld", "profiles that waited for another snapshot", "snapshots over DELETE_MOST", "mass removals", "approvals"}
		for _, d := range m.defects.values {
			must = append(must, "answers "+string(d))
		}
		for _, k := range m.killed.values {
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
			m.t.Errorf("the test had no %s", what)
		}
	}
	var text strings.Builder
	for _, what := range slices.Sorted(maps.Keys(m.happened)) {
		fmt.Fprintf(&text, "\n%7d %s", m.happened[what], what)
	}
	m.t.Logf("%d profiles, %d snapshots, %s:%s", m.profiles, m.snapshots, time.Since(m.began).Round(time.Second), text.String())
}
