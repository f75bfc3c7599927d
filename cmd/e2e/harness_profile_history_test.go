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

// profileHistory is the state of TestProfiles_Random.
type profileHistory struct {
	*testbed
	source              *profileSource
	model               *profileModel
	random              *rand.Rand
	profiles, snapshots int
	real, brokersDie    bool
	clock               clockOffset
	began               time.Time

	defects      shuffleBag[defect]
	kills        shuffleBag[int]  // kills of the program before a snapshot
	killed       shuffleBag[kill] // how
	steps        shuffleBag[string]
	outages      shuffleBag[int] // number of brokers that are killed
	massRemovals shuffleBag[bool]
	advances     shuffleBag[int] // hours between two snapshots

	gone    map[string]string // removed profiles
	removed []string          // by the last mass removal
	tail    map[int32]int64   // next offset to read
	exports int               // number of the last export
	took    time.Duration     // duration of the last run that was not killed
	down    sync.WaitGroup    // brokers that are down
	ending  bool              // the source does not change any more
	outage  bool              // brokers may be down
	halfway chan struct{}     // receives when half of an answer is sent
	pending []servedSnapshot  // answers that were not compared with the topic yet
	kept    int               // profiles in the topic that the last snapshot did not have
	// overCeiling is whether the last snapshot lacked more profiles than may be deleted.
	overCeiling bool
	happened    map[string]int
}

// defect is a defect of an answer.
type defect string

const (
	noDefect       defect = "without defects"
	cutShort       defect = "cut"
	truncatedAtRow defect = "truncated"
	withoutRows    defect = "empty"
	withBadRow     defect = "with a bad row"
	withEmptyKey   defect = "with an empty key"
	withRowTwice   defect = "with a row twice"
	withKeyTwice   defect = "with two rows of a key"
	withoutAThird  defect = "without a third of the rows"
)

// kill is how the program is killed.
type kill string

const (
	atRandom, inAnswer, atStep kill = "at a random time", "in the middle of an answer", "at a step"
)

func newProfileHistory(t *testing.T) *profileHistory {
	t.Helper()
	m := &profileHistory{
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
	m.setUpRandom()
	m.run(noDefect, "", nil)
	return m
}

func (m *profileHistory) setUpRandom() {
	m.defects = newShuffleBag(m.random, noDefect, noDefect, noDefect, noDefect, noDefect, noDefect, cutShort, truncatedAtRow, withoutRows, withBadRow, withEmptyKey,
		withRowTwice, withKeyTwice, withoutAThird)
	m.kills = newShuffleBag(m.random, 0, 0, 1, 1, 2)
	m.killed = newShuffleBag(m.random, atRandom, atRandom, inAnswer, atStep)
	m.steps = newShuffleBag(m.random, "called", "profiles_begun", "profiles_flushed", "profiles_marked", "profiles_decided", "profiles_deleting", "profiles_deleted", "checkpointed")
	m.outages = newShuffleBag(m.random, 0, 0, 1, 1, 2)
	m.massRemovals = newShuffleBag(m.random, false, false, false, false, true)
	m.advances = newShuffleBag(m.random, 25, 25, 25, 25, 5)
}

// shuffleBag returns its values in random order, each once before any of them again.
type shuffleBag[T any] struct {
	random       *rand.Rand
	values, left []T
}

func newShuffleBag[T any](random *rand.Rand, values ...T) shuffleBag[T] {
	return shuffleBag[T]{random: random, values: values}
}

func (d *shuffleBag[T]) next() T {
	if len(d.left) == 0 {
		d.left = slices.Clone(d.values)
		d.random.Shuffle(len(d.left), func(i, j int) { d.left[i], d.left[j] = d.left[j], d.left[i] })
	}
	card := d.left[0]
	d.left = d.left[1:]
	return card
}

// run runs the program once, and compares the topic and the ledger with the answers.
func (m *profileHistory) run(d defect, how kill, during func(*process)) {
	m.t.Helper()
	if !m.ending {
		m.toggleProfiles()
	}
	m.setDefects(d)
	brokersUp, began := !m.outage, time.Now()
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
	run := &profileRun{first: m.exports, end: interrupted, brokersUp: brokersUp}
	switch code := p.wait(3 * time.Minute); {
	case code == 0:
		run.end = succeeded
	case code == -1:
		m.happened["kills "+string(how)]++
	case code == 1 && !brokersUp: // brokers were down for too long
	case code != 3:
		m.t.Fatalf("exit %d:\n%s", code, p.log())
	case brokersUp:
		run.end = failed
		if d != cutShort {
			m.t.Fatalf("answer %s: export %d failed:\n%s", d, m.exports, p.log())
		}
	}
	if brokersUp && how == "" {
		m.took = time.Since(began)
	}
	expectNoLoss(m.t, p.log())
	m.happened["runs"]++
	m.pending = append(m.pending, m.source.take()...)
	if m.outage && how != "" {
		return // the topic can't be read during an outage: compare it after a later run
	}
	m.awaitBrokers()
	run.answers, m.pending = m.pending, nil
	m.observe(run)
	if m.t.Failed() {
		m.t.Fatalf("answer %s, kill %q, export %d, exit %d; log:\n%s", d, how, m.exports, p.cmd.ProcessState.ExitCode(), p.log())
	}
}

// startToBeKilled starts the program and prepares this kind of kill.
func (m *profileHistory) startToBeKilled(how kill) *process {
	if m.real {
		m.set("CLOCK", fmt.Sprintf("0s=%ds", m.clock.seconds.Load()))
	}
	switch how {
	case inAnswer:
		select {
		case <-m.halfway: // of an earlier run
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
		return m.startToCrash(m.steps.next(), 1, "run", "--once")
	}
	return m.startWith([]string{"OWNER_HEARTBEAT=1h", "STANDBY_AFTER=3h"}, "run", "--once")
}

// observe compares the topic and the ledger with the answers.
func (m *profileHistory) observe(run *profileRun) {
	m.t.Helper()
	record := m.profileRecord()
	run.last, m.exports = record.N, record.N
	m.happened["answers"] += len(run.answers)
	var last *servedSnapshot
	if len(run.answers) > 0 {
		last = &run.answers[len(run.answers)-1]
	}
	m.model.observe(run, m.news())
	if m.overCeiling = false; run.end != succeeded {
		return
	}
	m.happened["runs that succeeded"]++
	if m.kept = m.model.kept(last); run.unclear {
		return // the number of deletes in the ledger is not known exactly
	}
	why, withheld := last.why, m.kept
	switch {
	case run.confirmed:
		withheld = 0
	case why == "":
		why, m.overCeiling = "over_ceiling", true
		m.happened["snapshots over DELETE_MOST"]++
	}
	if record.Why != why || record.Missing != m.kept || record.Withheld != withheld {
		m.t.Errorf("the ledger has %+v, want missing %d, withheld %d, why %q", record, m.kept, withheld, why)
	}
}

// news returns the records that were added to the topic since the last call.
func (m *profileHistory) news() []message {
	m.t.Helper()
	return slices.DeleteFunc(m.consumeFrom("users", kgo.ReadUncommitted(), m.tail), func(r message) bool { return r.Key == rollKey })
}
