package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestProfiles_Random has snapshots whose profiles change, vanish one by one and in waves, and come back, while answers are cut, empty, truncated,
// shortened, repeat keys or have bad rows, and the program is killed at random times, in the middle of an answer, and between its steps. After each
// run the topic is compared with what the API has served, and after each snapshot that went well all of it is.
//
// PROFILE_ROWS and PROFILE_RUNS make it larger, CRASH_SEED repeats it. With KAFKA_TEST_BROKERS a snapshot is a day after the one before, or some hours,
// and the topic is compacted behind each, and during some. With KAFKA_TEST_DIR, the directory of a deploy/kafka-up.sh of three nodes, brokers are
// killed as well.
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

// profileMonth is a run of TestProfiles_Random.
type profileMonth struct {
	*testbed
	source              *profileSource
	model               *profileModel
	random              *rand.Rand
	profiles, snapshots int
	real, brokersDie    bool
	clock               clockOffset
	began               time.Time

	defects  deck[defect]
	kills    deck[int]  // how often the program is killed before a snapshot
	killed   deck[kill] // how
	steps    deck[string]
	outages  deck[int] // how many brokers are killed
	waves    deck[bool]
	advances deck[int] // hours between two snapshots

	gone    map[string]string // profiles that the source has no longer
	wave    []string          // those that vanished at once, and last
	tail    map[int32]int64   // how far the topic was read
	exports int               // the number of the last one
	took    time.Duration     // the last run that was not killed
	down    sync.WaitGroup    // brokers that are down
	ending  bool              // the source changes no more
	outage  bool              // brokers may be down
	halfway chan struct{}     // receives when half of an answer is sent
	pending []servedSnapshot  // answers of runs that the topic was not compared with yet
	kept    int               // profiles that the last snapshot lacked and the topic has
	// overCeiling says that the last snapshot lacked too many profiles to delete any.
	overCeiling bool
	happened    map[string]int
}

// defect is what is wrong with an answer.
type defect string

const (
	noDefect       defect = "sound"
	cutShort       defect = "cut"
	truncatedAtRow defect = "truncated"
	withoutRows    defect = "empty"
	withBadRow     defect = "with a bad row"
	withEmptyKey   defect = "with an empty key"
	withRowTwice   defect = "with a row twice"
	withKeyTwice   defect = "with two rows of a key"
	withoutAThird  defect = "lacking a third"
)

// kill is how the program is killed.
type kill string

const (
	atRandom, inAnswer, atStep kill = "at a random time", "in the middle of an answer", "at a step"
)

func newProfileMonth(t *testing.T) *profileMonth {
	t.Helper()
	m := &profileMonth{
		random: rand.New(rand.NewPCG(uint64(number(t, "CRASH_SEED", 20)), 20)), profiles: number(t, "PROFILE_ROWS", 60), snapshots: number(t, "PROFILE_RUNS", 14),
		source: &profileSource{profiles: map[string]string{}}, real: os.Getenv("KAFKA_TEST_BROKERS") != "", brokersDie: os.Getenv("KAFKA_TEST_DIR") != "",
		gone: map[string]string{}, tail: map[int32]int64{}, happened: map[string]int{}, took: 100 * time.Millisecond, halfway: make(chan struct{}, 1), began: time.Now(),
	}
	for i := range m.profiles {
		m.source.profiles[fmt.Sprint("user", i)] = "Seoul"
	}
	m.testbed = newProfileService(t, m.source)
	m.model = newProfileModel(t, 0, 0.3)
	m.set("STREAM_USERS_DELETE_MOST", "30%")
	if m.real {
		m.testbed.program, m.source.clock = programWithClock(t), m.clock.now
		m.model.after, m.model.most = 24*time.Hour, 0.01
		m.set("STREAM_USERS_DELETE_AFTER", "24h", "STREAM_USERS_DELETE_MOST", "1%")
		m.createCompacted("users", 3)
	}
	m.deal()
	m.run(noDefect, "", nil)
	return m
}

func (m *profileMonth) deal() {
	m.defects = newDeck(m.random, noDefect, noDefect, noDefect, noDefect, noDefect, noDefect, cutShort, truncatedAtRow, withoutRows, withBadRow, withEmptyKey,
		withRowTwice, withKeyTwice, withoutAThird)
	m.kills = newDeck(m.random, 0, 0, 1, 1, 2)
	m.killed = newDeck(m.random, atRandom, atRandom, inAnswer, atStep)
	m.steps = newDeck(m.random, "called", "profiles_begun", "profiles_flushed", "profiles_marked", "profiles_decided", "profiles_deleting", "profiles_deleted", "checkpointed")
	m.outages = newDeck(m.random, 0, 0, 1, 1, 2)
	m.waves = newDeck(m.random, false, false, false, false, true)
	m.advances = newDeck(m.random, 25, 25, 25, 25, 5)
}

// deck has each of its cards drawn once, in random order, before any of them comes again.
type deck[T any] struct {
	random      *rand.Rand
	cards, left []T
}

func newDeck[T any](random *rand.Rand, cards ...T) deck[T] {
	return deck[T]{random: random, cards: cards}
}

func (d *deck[T]) draw() T {
	if len(d.left) == 0 {
		d.left = slices.Clone(d.cards)
		d.random.Shuffle(len(d.left), func(i, j int) { d.left[i], d.left[j] = d.left[j], d.left[i] })
	}
	card := d.left[0]
	d.left = d.left[1:]
	return card
}

var cities = []string{"Seoul", "Busan", "Jeju", "", "서울", `Seo,ul`, `"Seoul"`, "Seo\nul", " Seoul ", "Sëoul 🛍", `Seo\ul`}

func (m *profileMonth) city() string { return cities[m.random.IntN(len(cities))] }

// churn changes profiles: one in a hundred has another cell, a few vanish, and a few appear or come back. In a wave, many vanish at once.
func (m *profileMonth) churn() {
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
	vanish := func(key string) {
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
	some(1+m.profiles/1500, true, vanish)
	if len(m.wave) > 0 && m.random.IntN(2) == 0 {
		for _, key := range m.wave {
			if city, is := m.gone[key]; is {
				all[key] = city
				delete(m.gone, key)
			}
		}
		m.happened["waves that came back"]++
	}
	m.wave = nil
	if m.waves.draw() {
		some(15+m.profiles/40, true, func(key string) {
			m.wave = append(m.wave, key)
			vanish(key)
		})
		m.happened["waves"]++
	}
	if m.real {
		m.clock.seconds.Add(int64(m.advances.draw()) * 3600)
	}
}

// flicker has some profiles come and go before each run, half of them with another cell.
func (m *profileMonth) flicker() {
	m.source.set(func(s *profileSource) {
		for i := range 4 + m.profiles/2000 {
			key := fmt.Sprint("flickers", i)
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

// spoil chooses what is wrong with the next answers.
func (m *profileMonth) spoil(d defect) {
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

// run runs the program once, compares the topic with what was served, and the ledger's numbers with both.
func (m *profileMonth) run(d defect, how kill, during func(*process)) {
	m.t.Helper()
	if !m.ending {
		m.flicker()
	}
	m.spoil(d)
	quiet, began := !m.outage, time.Now()
	p, killed := m.startToBeKilled(how), false
	if during != nil {
		during(p)
	}
	switch {
	case how == atRandom && !p.endsWithin(time.Duration(m.random.Int64N(int64(m.took)))):
		killed = true
	case how == inAnswer:
		select {
		case <-m.halfway:
			killed = true
		case <-p.done:
		}
	}
	if killed {
		p.kill()
	}
	run := &profileRun{first: m.exports, end: disturbed, quiet: quiet}
	switch code := p.wait(3 * time.Minute); {
	case code == 0:
		run.end = settled
	case code == -1:
		m.happened["kills "+string(how)]++
	case code == 1 && !quiet: // brokers were away for too long
	case code != 3:
		m.t.Fatalf("exit %d:\n%s", code, p.log())
	case quiet:
		run.end = failed
		if d != cutShort {
			m.t.Fatalf("%s answer, export %d fails:\n%s", d, m.exports, p.log())
		}
	}
	if quiet && how == "" {
		m.took = time.Since(began)
	}
	expectNoLoss(m.t, p.log())
	m.happened["runs"]++
	m.pending = append(m.pending, m.source.take()...)
	if m.outage && how != "" {
		return // the topic can't be read now; the next run begins meanwhile
	}
	m.awaitBrokers()
	run.answers, m.pending = m.pending, nil
	m.observe(run)
	if m.t.Failed() {
		m.t.Fatalf("%s answer, kill %q, export %d, exit %d; log:\n%s", d, how, m.exports, p.cmd.ProcessState.ExitCode(), p.log())
	}
}

// startToBeKilled starts the program, so that it can be killed in this way.
func (m *profileMonth) startToBeKilled(how kill) *process {
	if m.real {
		m.set("CLOCK", fmt.Sprintf("0s=%ds", m.clock.seconds.Load()))
	}
	switch how {
	case inAnswer:
		select {
		case <-m.halfway: // of a former run
		default:
		}
		m.source.set(func(s *profileSource) {
			s.next.halfway = func(r *http.Request) {
				select {
				case m.halfway <- struct{}{}:
				default:
				}
				<-r.Context().Done()
			}
		})
	case atStep:
		return m.startToCrash(m.steps.draw(), 1, "run", "--once")
	}
	return m.startWith([]string{"OWNER_HEARTBEAT=1h", "STANDBY_AFTER=3h"}, "run", "--once")
}

// observe compares the topic with what was served, and what the ledger says of both.
func (m *profileMonth) observe(run *profileRun) {
	m.t.Helper()
	record := m.profileRecord()
	run.last, m.exports = record.N, record.N
	m.happened["answers"] += len(run.answers)
	var last *servedSnapshot
	if len(run.answers) > 0 {
		last = &run.answers[len(run.answers)-1]
	}
	m.model.observe(run, m.news())
	if m.overCeiling = false; run.end != settled {
		return
	}
	m.happened["settled"]++
	if m.kept = m.model.kept(last); run.unclear {
		return // only the program knows how many deletes it counts
	}
	why, withheld := last.why, m.kept
	switch {
	case run.confirmed:
		withheld = 0
	case why == "":
		why, m.overCeiling = "over_ceiling", true
		m.happened["snapshots over the ceiling"]++
	}
	if record.Why != why || record.Missing != m.kept || record.Withheld != withheld {
		m.t.Errorf("the ledger has %+v; %d profiles are kept, %d of them withheld, because of %q", record, m.kept, withheld, why)
	}
}

// news are the records of the topic since it was read last.
func (m *profileMonth) news() []message {
	m.t.Helper()
	return slices.DeleteFunc(m.consumeFrom("users", kgo.ReadUncommitted(), m.tail), func(r message) bool { return r.Key == rolls })
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

// report logs what has happened, and fails if something has not that the test is for.
func (m *profileMonth) report() {
	m.happened["deletes"], m.happened["profiles deleted and published again"] = m.model.tombstones, m.model.returned
	m.happened["profiles withheld"], m.happened["profiles that waited for another snapshot"] = len(m.model.withheld), len(m.model.waiting)
	must := []string{"deletes", "profiles withheld", "profiles that waited for another snapshot", "snapshots over the ceiling", "waves", "approvals"}
	if m.snapshots >= len(m.defects.cards) {
		for _, d := range m.defects.cards {
			must = append(must, "answers "+string(d))
		}
	}
	for _, k := range m.killed.cards {
		must = append(must, "kills "+string(k))
	}
	if m.real {
		must = append(must, "compactions", "compactions during a run")
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
