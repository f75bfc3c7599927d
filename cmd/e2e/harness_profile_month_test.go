package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

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

// run runs the program once, compares the topic with what was served, and the ledger's numbers
// with both.
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
