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

// TestRandom runs schedules with random exports, failures and restarts against a model of
// the API. After each step it checks the invariants, and at the end that everything that
// could be exported was exported. A failure prints its seed; to repeat it:
// go test -run TestRandom -seed N ./pipeline/schedule
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

// allEvents are the event names of all days in the model. The schedule never learns "z".
var allEvents = []string{"a", "b", "c", "d", "z"}

// model simulates the API, the ledger and the clock around a schedule.
type model struct {
	t         *testing.T
	seed      uint64
	rng       *rand.Rand
	now       time.Time
	config    []StreamConfig
	state     *State
	calls     map[ledger.DayName]*Outcome
	states    map[ledger.DayName]ledger.Day
	exported  map[ledger.DayName]map[string]time.Time // start of the last call that returned the event of the day
	failing   map[ledger.DayName]string               // the event whose query always fails
	due       map[ledger.DayName]bool                 // days that have been within START
	lost      map[ledger.DayName]int                  // how often the day was reported as lost, since it last was pending again
	reach     schema.Day                              // of the API: may be shorter than documented
	requested map[ledger.DayName]time.Time            // when a command requested the day; without commands that are done
	healthy   bool
	made      int // calls
}

func randomRun(t *testing.T, seed uint64) {
	m := &model{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 0)), now: noon.UTC(), calls: map[ledger.DayName]*Outcome{},
		exported: map[ledger.DayName]map[string]time.Time{}, failing: map[ledger.DayName]string{}, due: map[ledger.DayName]bool{}, lost: map[ledger.DayName]int{},
		requested: map[ledger.DayName]time.Time{}}
	m.reach = schema.Reach - schema.Day(m.rng.IntN(3))
	for i, name := range []string{"events", "users"}[:1+m.rng.IntN(2)] {
		config := StreamConfig{Name: name, Topic: name, Kind: []schema.Kind{schema.Event, schema.UserProfile}[i], Poll: time.Hour,
			Lookback: m.rng.IntN(4), LookbackInterval: 3 * time.Hour, StartBack: m.rng.IntN(schema.Reach + 1)}
		m.config = append(m.config, config)
	}
	m.restart(nil, new(ledger.Service))
	m.tell(m.state.Advance(m.now)) // as an owner does at its start
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

// step makes one random change.
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
		m.requested[day] = m.now
	case n < 94:
		if m.state.Day(day).Restart(fmt.Sprint("command ", m.rng.IntN(1000))) {
			m.requested[day] = m.now
			delete(m.exported, day)
		}
	case n < 95:
		m.state.Stream(st).Pause()
	case n < 97:
		m.state.Stream(st).Resume(m.now)
	case n < 98:
		m.newProcess()
	case n < 99:
		m.failing[day] = allEvents[m.rng.IntN(len(allEvents))]
	default:
		delete(m.failing, day)
	}
	m.runCommands()
	m.check()
}

// runCommands executes the commands as the owner does, including those that were submitted
// before a restart.
func (m *model) runCommands() {
	today := m.state.policy.today(m.now)
	for name, since := range m.requested {
		first := today - schema.Reach
		if m.state.Stream(name.Stream).Kind.Snapshot() {
			first = today
		}
		if name.Day < first || m.state.Day(name).Answer(since) != Unanswered {
			delete(m.requested, name)
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

// noteDue records the days that have been within START since the last call.
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

// has reports whether the call requests the event.
func has(call *schema.Export, event string) bool {
	if f := call.Filter; len(f.Events) > 0 {
		return slices.Contains(f.Events, event)
	}
	return !slices.Contains(call.Filter.ExcludeEvents, event)
}

// endOne ends a random call with the API's answer, or a fault of the network or of Kafka.
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
	switch event, failinged := m.failing[name]; {
	case name.Day < today-m.reach:
		fail(schema.ExceedDateRangeLimit)
	case failinged && has(&o.Call, event):
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
		known := len(m.state.Stream(name.Stream).EventNames()) // names are only ever added, and few at a time
		if known < len(allEvents)-1 && m.rng.IntN(20) == 0 {
			known++
		}
		o.EventNames = allEvents[:known]
		if m.exported[name] == nil {
			m.exported[name] = map[string]time.Time{}
		}
		for _, event := range allEvents {
			if has(&o.Call, event) && !o.Call.Probe {
				m.exported[name][event] = o.Started
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

// newProcess restarts the schedule from the ledger. Of the calls in progress it keeps only
// what the ledger has recorded.
func (m *model) newProcess() {
	days := map[ledger.DayName]ledger.Day{}
	for name, record := range m.state.Days() {
		if record.Exports > 0 || record.State != ledger.Pending {
			days[name] = copyOf(record)
		}
	}
	record := new(ledger.Service)
	m.state.SaveTo(record, m.now)
	record2 := copyOf(*record)
	m.restart(days, &record2)
}

// copyOf encodes and decodes a record, as the ledger does.
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

// check compares every day with its state at the last check.
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
			if is.LastSuccess == nil || was.State != is.State && len(m.exported[name]) == 0 && !cut {
				m.failf("%v is %s without a success", name, is.State)
			}
		}
		if st := m.state.Stream(name.Stream); is.Final && !was.Final && !st.Kind.Snapshot() {
			m.checkSettled(name, st.settles(name.Day, planned))
		}
		m.states[name] = is
	}
}

// reachable reports whether at most two entries of moves lead from one state to the other:
// an outcome and a change by time alone.
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

// checkSettled checks that a final day had each of its events in a call that began at or
// after its end.
func (m *model) checkSettled(name ledger.DayName, end time.Time) {
	for _, event := range allEvents {
		if at := m.exported[name][event]; at.Before(end) {
			m.failf("%v is final, but its event %s was had at %s, before %s", name, event, since(at), since(end))
		}
	}
}

// recover ends all faults and runs the schedule for some days. Then everything that can be
// exported must be exported, without unnecessary calls.
func (m *model) recover() {
	m.healthy = true
	clear(m.failing)
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
		m.runCommands()
		m.check()
	}
	if m.t.Failed() {
		return
	}
	today := m.state.policy.today(m.now)
	for name := range m.due {
		record := m.state.Record(name)
		switch {
		case name.Day < today-m.reach+days || name.Day > today-1: // may have left the reach, or is not over
		case record.State == ledger.Pending:
			m.failf("%v was due and never exported: %+v", name, record)
		case record.State == ledger.Gap:
			m.failf("%v is a gap, %d days before %s", name, today-name.Day, today)
		}
	}
	if len(m.requested) > 0 {
		m.failf("commands for %v are not done", m.requested)
	}
	// Polls of each stream, a call every three hours for each day of the lookback, and
	// one or two calls for every other day.
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
