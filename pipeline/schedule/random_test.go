package schedule

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

var seed = flag.Uint64("seed", 0, "replay TestRandom with this seed")

// TestRandom drives schedules at random against a model of the API, and checks after
// each step what must always hold, and at the end that everything which can be had was
// had. A failure prints the seed that replays it: go test -run TestRandom -seed N
// ./pipeline/schedule
func TestRandom(t *testing.T) {
	if *seed != 0 {
		randomRun(t, *seed)
		return
	}
	for range 40 {
		randomRun(t, rand.Uint64())
		if t.Failed() {
			return
		}
	}
}

// allEvents are the names of events that the model's days have. "z" is in no list of
// names that the schedule knows.
var allEvents = []string{"a", "b", "c", "d", "z"}

// model is the environment of a schedule.
type model struct {
	t       *testing.T
	seed    uint64
	rng     *rand.Rand
	now     time.Time
	config  []StreamConfig
	state   *State
	calls   map[ledger.DayName]*Outcome
	states  map[ledger.DayName]ledger.Day
	had     map[ledger.DayName]map[string]time.Time // when the last call began that had these events of the day
	poison  map[ledger.DayName]string               // an event whose query fails
	due     map[ledger.DayName]bool                 // days that were within START once
	lost    map[ledger.DayName]int                  // how often they were reported as lost since they were pending by rights
	reach   schema.Day                              // of the API, which may be less than is documented
	asked   map[ledger.DayName]time.Time            // by commands that are not done
	healthy bool
	made    int // calls
}

func randomRun(t *testing.T, seed uint64) {
	m := &model{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 0)), now: noon.UTC(), calls: map[ledger.DayName]*Outcome{},
		had: map[ledger.DayName]map[string]time.Time{}, poison: map[ledger.DayName]string{}, due: map[ledger.DayName]bool{}, lost: map[ledger.DayName]int{},
		asked: map[ledger.DayName]time.Time{}}
	m.reach = schema.Reach - schema.Day(m.rng.IntN(3))
	for i, name := range []string{"events", "users"}[:1+m.rng.IntN(2)] {
		config := StreamConfig{Name: name, Topic: name, Kind: []schema.Kind{schema.Event, schema.UserProfile}[i], Poll: time.Hour,
			Lookback: m.rng.IntN(4), LookbackInterval: 3 * time.Hour, StartBack: m.rng.IntN(schema.Reach + 1)}
		m.config = append(m.config, config)
	}
	m.restart(nil, new(ledger.Service))
	m.tell(m.state.Advance(m.now)) // as an owner does at once: only then is it known from when on days are due
	for range 400 {
		m.step()
		if t.Failed() {
			return
		}
	}
	m.recover()
}

func (m *model) failf(format string, args ...any) {
	m.t.Helper()
	m.t.Errorf("seed %d: "+format, append([]any{m.seed}, args...)...)
}

func (m *model) restart(days map[ledger.DayName]ledger.Day, record *ledger.Service) {
	m.state = New(m.config, Policy{Service: "1234", Location: planned, CallsPerHour: 100, RetryBackoff: time.Second, RetryMaxBackoff: 10 * time.Minute,
		NarrowAfter: 3}, m.now)
	m.state.Load(record, days, m.now)
	clear(m.calls)
	m.states = maps.Collect(m.state.Days())
}

// step does one thing at random.
func (m *model) step() {
	st := m.config[m.rng.IntN(len(m.config))].Name
	back := m.rng.IntN(4)
	if m.rng.IntN(3) == 0 {
		back = m.rng.IntN(schema.Reach + 1)
	}
	day := ledger.DayName{Stream: st, Day: m.state.policy.today(m.now) - schema.Day(back)}
	switch n := m.rng.IntN(100); {
	case n < 40:
		m.startNext()
	case n < 75:
		m.endOne()
	case n < 90:
		m.wait([]time.Duration{time.Second, time.Minute, 20 * time.Minute, 3 * time.Hour, 30 * time.Hour}[m.rng.IntN(5)])
	case n < 91:
		m.wait(time.Duration(m.rng.IntN(20)) * 24 * time.Hour)
	case n < 93:
		m.asked[day] = m.now
	case n < 94:
		if m.state.Day(day).Restart(fmt.Sprint("command ", m.rng.IntN(1000))) {
			m.asked[day] = m.now
			delete(m.had, day)
		}
	case n < 95:
		m.state.Stream(st).Pause()
	case n < 97:
		m.state.Stream(st).Resume(m.now)
	case n < 98:
		m.newProcess()
	case n < 99:
		m.poison[day] = allEvents[m.rng.IntN(len(allEvents))]
	default:
		delete(m.poison, day)
	}
	m.carryOut()
	m.check()
}

// carryOut does what the owner does for commands, also for those that were given to a
// former process.
func (m *model) carryOut() {
	today := m.state.policy.today(m.now)
	for name, since := range m.asked {
		first := today - schema.Reach
		if m.state.Stream(name.Stream).Kind.Snapshot() {
			first = today
		}
		if name.Day < first || m.state.Day(name).Answer(since) != Unanswered {
			delete(m.asked, name)
			continue
		}
		m.state.Day(name).Request()
	}
}

func (m *model) wait(d time.Duration) {
	m.noteDue()
	m.now = m.now.Add(d)
	m.tell(m.state.Advance(m.now))
	m.noteDue()
}

// noteDue notes which days are within START now, and were since the last time.
func (m *model) noteDue() {
	today := m.state.policy.today(m.now)
	for i := range m.config {
		if s := &m.config[i]; !s.Kind.Snapshot() {
			for at := s.start(today); at <= today; at++ {
				m.due[ledger.DayName{Stream: s.Name, Day: at}] = true
			}
		}
	}
}

func (m *model) startNext() {
	m.tell(m.state.Advance(m.now))
	m.noteDue()
	due, ok, again := m.state.Next(m.now)
	if !ok {
		if !again.After(m.now) {
			m.failf("nothing to do, but to look again at %s, now is %s", since(again), since(m.now))
		}
		return
	}
	name := ledger.DayName{Stream: due.Stream, Day: due.Day}
	if d := m.state.Find(name); d != nil && d.running || due.stream.paused || due.At.After(m.now) {
		m.failf("%v is started while it is running, paused or not due", name)
	}
	m.made++
	m.calls[name] = &Outcome{Name: name, Call: m.state.Begin(due, m.now), Started: m.now, Jitter: m.rng.Float64()}
}

// has reports whether the call asks for the event.
func has(call *schema.Export, event string) bool {
	if f := call.Filter; len(f.Events) > 0 {
		return slices.Contains(f.Events, event)
	}
	return !slices.Contains(call.Filter.ExcludeEvents, event)
}

// endOne ends a call: as the API answers, or by a fault of the link or of Kafka.
func (m *model) endOne() {
	var running []ledger.DayName
	for name := range m.calls {
		running = append(running, name)
	}
	if len(running) == 0 {
		return
	}
	slices.SortFunc(running, func(a, b ledger.DayName) int { return int(a.Day-b.Day)*10 + len(a.Stream) - len(b.Stream) })
	name := running[m.rng.IntN(len(running))]
	o := m.calls[name]
	delete(m.calls, name)
	m.now = m.now.Add(time.Second)
	o.Took = m.now.Sub(o.Started)
	today := m.state.policy.today(m.now)
	fail := func(code schema.Code) {
		o.Failure = &schema.Failure{Code: code, Class: classOf(code), Date: m.now}
		if o.Failure.Class == schema.Truncated {
			o.Failure.Code, o.Failure.Cut = schema.MaybeTorn, schema.Cut(code)
		}
	}
	switch event, poisoned := m.poison[name]; {
	case name.Day < today-m.reach:
		fail(schema.ExceedDateRangeLimit)
	case poisoned && has(&o.Call, event):
		fail(schema.QueryError)
	case !m.healthy && m.rng.IntN(4) == 0:
		fail([]schema.Code{schema.UnknownError, schema.QueryError, schema.Connection, schema.TooManyAPIRequests, schema.BadHeader, "cancelled", "no_newline"}[m.rng.IntN(7)])
	case !m.healthy && m.rng.IntN(30) == 0:
		o.Aborted = true
	default:
		o.Rows = 10
		if !o.Call.Probe {
			m.state.Day(name).Progress(m.rng.IntN(3), 0, 0)
		}
		o.Columns, _ = schema.NewColumns([]string{"id"})
		known := len(m.state.Stream(name.Stream).EventNames()) // they only become more, and slowly
		if known < len(allEvents)-1 && m.rng.IntN(20) == 0 {
			known++
		}
		o.EventNames = allEvents[:known]
		if m.had[name] == nil {
			m.had[name] = map[string]time.Time{}
		}
		for _, event := range allEvents {
			if has(&o.Call, event) && !o.Call.Probe {
				m.had[name][event] = o.Started
			}
		}
	}
	m.tell(m.state.Apply(o, m.now))
	if o.Failure != nil && o.Failure.Class == schema.OutOfReach && name.Day < today {
		for _, d := range m.state.plan(m.now) {
			if d.Stream == name.Stream && d.Day == name.Day && !d.At.After(m.now) {
				m.failf("%v was refused and is due again at once", name)
			}
		}
	}
}

// newProcess takes over what the ledger has. What the ledger does not know of the calls
// under way, a new process does not either.
func (m *model) newProcess() {
	days := map[ledger.DayName]ledger.Day{}
	for name, record := range m.state.Days() {
		if record.Exports > 0 || record.State != ledger.Pending {
			days[name] = copyOf(record)
		}
	}
	record := new(ledger.Service)
	m.state.Enter(record, m.now)
	record2 := copyOf(*record)
	m.restart(days, &record2)
}

// copyOf is what comes of a record in the ledger.
func copyOf[T any](record T) T {
	text, err := json.Marshal(record)
	must(err)
	var read T
	must(json.Unmarshal(text, &read))
	return read
}

func (m *model) tell(events []Event) {
	for _, e := range events {
		name := ledger.DayName{Stream: e.Stream, Day: e.Day}
		switch e.Kind {
		case DayReopened:
			m.lost[name] = 0
		case DayLost:
			if m.lost[name]++; m.lost[name] > 1 {
				m.failf("%v is reported as lost again", name)
			}
		}
	}
}

// check compares every day with what it was.
func (m *model) check() {
	for name, is := range m.state.Days() {
		was, known := m.states[name]
		if !known {
			was = ledger.Day{State: ledger.Pending}
		}
		if !reachable(was, is) {
			m.failf("%v becomes %s (final %t) from %s (final %t), which is no move", name, is.State, is.Final, was.State, was.Final)
		}
		if is.State == ledger.Open || is.State == ledger.Settled {
			m.lost[name] = 0
			cut := m.state.Find(name).cut.Cut != ""
			if is.LastSuccess == nil || was.State != is.State && len(m.had[name]) == 0 && !cut {
				m.failf("%v is %s without a success", name, is.State)
			}
		}
		if st := m.state.Stream(name.Stream); is.Final && !was.Final && !st.Kind.Snapshot() {
			m.checkSettled(name, st.settles(name.Day, planned))
		}
		m.states[name] = is
	}
}

// reachable reports whether moves lead from one state to the other, by at most two of
// them: an outcome and what time does.
func reachable(was, is ledger.Day) bool {
	from, to := state{was.State, was.Final}, state{is.State, is.Final}
	if from == to {
		return true
	}
	for _, first := range moves {
		middle, ok := first[from.DayState]
		if !ok {
			continue
		}
		if middle == to {
			return true
		}
		for _, second := range moves {
			if second[middle.DayState] == to {
				return true
			}
		}
	}
	return false
}

// checkSettled: a day is final only if every event of it was had by a call that began
// at its end or later.
func (m *model) checkSettled(name ledger.DayName, end time.Time) {
	for _, event := range allEvents {
		if at := m.had[name][event]; at.Before(end) {
			m.failf("%v is final, but its event %s was had at %s, before %s", name, event, since(at), since(end))
		}
	}
}

// recover ends all faults, and lets the schedule do what is due for some days: then
// everything that can be had was had, with few calls.
func (m *model) recover() {
	m.healthy = true
	clear(m.poison)
	for _, s := range m.config {
		m.state.Stream(s.Name).Resume(m.now)
	}
	const days = 5
	end := m.now.Add(days * 24 * time.Hour)
	m.made = 0
	for m.now.Before(end) && !m.t.Failed() {
		m.startNext()
		if len(m.calls) > 0 {
			m.endOne()
		} else {
			m.now = m.nextTime(end)
		}
		m.carryOut()
		m.check()
	}
	if m.t.Failed() {
		return
	}
	today := m.state.policy.today(m.now)
	for name := range m.due {
		record := m.state.Record(name)
		switch {
		case name.Day < today-m.reach+days || name.Day > today-1: // may be lost by now, or is not over
		case record.State == ledger.Pending:
			m.failf("%v was due and never exported: %+v", name, record)
		case record.State == ledger.Gap:
			m.failf("%v is a gap, %d days before %s", name, today-name.Day, today)
		}
	}
	if len(m.asked) > 0 {
		m.failf("commands for %v are not done", m.asked)
	}
	// Polls of each stream, a call every three hours of each day of the lookback, and
	// everything else once or twice.
	if most := len(m.config)*days*(24+8*3) + 100; m.made > most {
		m.failf("%d calls in %d days, at most %d are needed", m.made, days, most)
	}
}

func (m *model) nextTime(end time.Time) time.Time {
	_, ok, again := m.state.Next(m.now)
	if ok || again.After(end) {
		return end
	}
	return again
}
