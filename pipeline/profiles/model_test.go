package profiles

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// model is a topic, a ledger and a source, and plays exports with crashes. Only what
// is in the ledger and in the topic outlives a crash.
type model struct {
	t      *testing.T
	random *rand.Rand
	policy Policy
	now    time.Time
	source map[string]int // what a row says, by key

	topic   [][]line // by partition
	record  ledger.Profiles
	runs    [][]byte // of marks
	history []snapshotTaken
	spent   []ledger.Deletion // deletes that happened
	steps   int               // until the crash; negative: none
}

type line struct {
	key, value string // value is empty for a tombstone
	n          int
	export, id string
}

type snapshotTaken struct {
	n       int
	started time.Time
	whole   bool
	request string
	had     map[string]bool
	noted   bool // its end is in the ledger
}

type crash struct{}

func (m *model) step() {
	if m.steps == 0 {
		panic(crash{})
	}
	m.steps--
}

// defects are what is wrong with an answer.
type defects struct {
	cut, unframed, repeats, unreadable bool
	lacks                              map[string]bool // rows that are left out although the answer looks whole
	refused                            map[string]bool // rows that become dead letters
	request                            string
}

func printOf(key string, value int) schema.Fingerprint {
	return schema.BadFingerprint([]byte(fmt.Sprint(key, value)))
}

func (m *model) write(partition int, l line) {
	for _, before := range m.topic[partition] {
		if before.key == l.key && before.n >= l.n {
			m.t.Fatalf("key %s: export %d after %d", l.key, l.n, before.n)
		}
	}
	m.topic[partition] = append(m.topic[partition], l)
	m.step()
}

func (m *model) marks() Marks {
	marks := Marks{}
	for _, r := range m.record.Absent.Ranges {
		if err := marks.Load(m.runs[r[1]]); err != nil {
			m.t.Fatal(err)
		}
	}
	return marks
}

func (m *model) scan() *Scan {
	s := NewScan("1234", "users", m.record.Seed, m.record.AgainFrom, len(m.topic), m.marks())
	for partition, lines := range m.topic {
		for _, l := range lines {
			r := recordbatch.Record{Key: []byte(l.key), Value: []byte(l.value), Headers: []recordbatch.Header{
				{Key: []byte("id"), Value: []byte(l.id)}, {Key: []byte("export"), Value: []byte(l.export)}}}
			if l.value == "" {
				r.Value = nil
			}
			s.Add(partition, &r)
		}
	}
	return s
}

// export plays one export in the order of writes, until it ends or crashes.
func (m *model) export(d defects) (crashed bool) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(crash); !ok {
				panic(p)
			}
			crashed = true
		}
	}()
	m.now = m.now.Add(time.Minute)
	started := m.now
	if m.record.Seed == 0 {
		m.record.Seed = m.random.Uint64() | 1
	}
	s := m.scan()
	partitions, err := s.Partitions(m.record.Partitions)
	if err != nil {
		m.t.Fatal(err)
	}
	m.record.Partitions = partitions
	n := max(m.record.N, s.Highest) + 1
	m.record.N = n // acknowledged before the call
	m.step()
	name := fmt.Sprintf("1234/users/2026-11-30/%d", n)
	taken := snapshotTaken{n: n, started: started, request: d.request, had: map[string]bool{},
		whole: !d.cut && !d.unframed && !d.repeats && !d.unreadable}
	evidence := Evidence{Ended: !d.cut, Framed: !d.unframed, Request: d.request}
	keys := slices.Sorted(maps.Keys(m.source))
	if d.cut {
		keys = keys[:m.random.IntN(len(keys)+1)]
	}
	m.history = append(m.history, taken)
	for _, key := range keys {
		if d.lacks[key] {
			continue
		}
		if d.unreadable && evidence.Unreadable == 0 {
			evidence.Unreadable++
			continue
		}
		taken.had[key] = true
		m.meet(s, &evidence, name, n, key, m.source[key], d.refused[key])
		if d.repeats && evidence.Repeated == 0 {
			m.meet(s, &evidence, name, n, key, m.source[key], d.refused[key])
		}
	}
	m.end(s, name, Snapshot{N: n, Started: started, Now: m.now, Evidence: evidence})
	return false
}

func (m *model) meet(s *Scan, e *Evidence, name string, n int, key string, value int, refused bool) {
	print := printOf(key, value)
	v := s.Meet([]byte(key), print)
	switch {
	case v == Repeated || v == Duplicate:
		e.Repeated++
	case v.Op() != "" && refused:
		s.Refused([]byte(key), v)
	case v.Op() != "":
		e.Rows++
		partition := cluster.PartitionOf([]byte(key), m.record.Partitions)
		m.write(partition, line{key, fmt.Sprint("v", value), n, name, string(schema.AppendID(nil, print, 0))})
	default:
		e.Rows++
	}
}

func (m *model) end(s *Scan, name string, snapshot Snapshot) {
	inTopic := s.inTopic()
	approved := 0
	if a := m.record.Approved; a != nil && !snapshot.Now.After(a.Until) {
		approved = a.N
	}
	d := s.Decide(m.policy, &m.record, snapshot)
	var run []byte
	for _, mark := range d.Marks {
		run = mark.Append(run)
	}
	m.runs = append(m.runs, run)
	m.step()
	d.Record.Absent.Ranges = nil
	if len(run) > 0 {
		d.Record.Absent.Ranges = []ledger.Range{{0, int64(len(m.runs) - 1), int64(len(m.runs))}}
	}
	m.record = d.Record
	m.history[len(m.history)-1].noted = true
	m.step()
	if spent := deleted(m.spent, snapshot.Now) + len(d.Due); len(d.Due) > 0 && spent > Ceiling(inTopic, m.policy.Most) && approved < d.Absent {
		m.t.Fatalf("%d deletes of %d profiles within a week", spent, inTopic)
	}
	for _, mark := range d.Due {
		m.mayDelete(string(mark.Key), snapshot)
		m.spent = append(m.spent, ledger.Deletion{At: snapshot.Now, N: 1})
		m.write(mark.Partition, line{string(mark.Key), "", snapshot.N, name, ""})
	}
	if len(d.Due) > 0 {
		Deleted(&d.Record, len(d.Due))
	}
	d.Record.Absent.Ranges = m.record.Absent.Ranges
	m.record = d.Record
	m.step()
}

// mayDelete fails unless two whole snapshots lacked the key, far enough apart, none
// between them had it, and no row of it was published since the first.
func (m *model) mayDelete(key string, now Snapshot) {
	newest := 0
	for _, lines := range m.topic {
		for _, l := range lines {
			if l.key == key && l.value != "" {
				newest = max(newest, l.n)
			}
		}
	}
	last := m.history[len(m.history)-1]
	if last.n != now.N || !last.whole || last.had[key] {
		m.t.Fatalf("export %d deletes %s, which it had", now.N, key)
	}
	for _, former := range slices.Backward(m.history[:len(m.history)-1]) {
		if former.noted && former.had[key] {
			break
		}
		if former.n < now.N && former.n >= newest && former.whole && !former.had[key] && former.request == last.request && now.Started.Sub(former.started) >= m.policy.After {
			return
		}
	}
	m.t.Fatalf("export %d deletes %s, which no whole snapshot before it lacked", now.N, key)
}

// compact removes records that a later one replaces, and some tombstones.
func (m *model) compact() {
	for p, lines := range m.topic {
		var kept []line
		for i, l := range lines {
			later := slices.ContainsFunc(lines[i+1:], func(other line) bool { return other.key == l.key })
			if !later && (l.value != "" || m.random.IntN(2) == 0) {
				kept = append(kept, l)
			}
		}
		m.topic[p] = kept
	}
}

func (m *model) inTopic() map[string]string {
	table := map[string]string{}
	for _, lines := range m.topic {
		for _, l := range lines {
			if table[l.key] = l.value; l.value == "" {
				delete(table, l.key)
			}
		}
	}
	return table
}

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

// settled checks that the topic equals the source after undisturbed exports.
func (m *model) settled() {
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

// TestDecide_RandomHistories plays PROFILE_HISTORIES histories, 1,000 if that is not set.
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
		m.settled()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestDecide_CrashAfterEachStep plays the same three exports with a crash behind each of their
// writes.
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
		if spent := deleted(m.record.Deletes, m.now); spent != 2 {
			t.Errorf("crash after step %d: %d deletes are counted, 2 happened", at, spent)
		}
		if !crashed {
			if at < 5 {
				t.Fatalf("%d steps", at)
			}
			return
		}
	}
}

func TestState_AgainstMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var s State
	want := map[string]uint64{}
	key := make([]byte, 8)
	for i := range 200_000 {
		binary.BigEndian.PutUint64(key, uint64(random.IntN(60_000)))
		id := uint64(i) & idMask
		s.put(HashKey(3, key)).set(own, id)
		want[string(key)] = id
	}
	for key, id := range want {
		if slot := s.find(HashKey(3, []byte(key))); slot == nil || slot.id() != id || slot.kind() != own {
			t.Fatalf("%x: %v, want id %d", key, slot, id)
		}
	}
	n := 0
	for h, slot := range s.all {
		if s.find(h) != slot {
			t.Fatal("a hash does not lead to its slot")
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%d keys, want %d", n, len(want))
	}
	if most := 26*n + 16*segments*firstSlots; s.bytes() > most {
		t.Errorf("%d bytes for %d keys, want at most %d", s.bytes(), n, most)
	}
	if s.find(HashKey(3, []byte("none"))) != nil {
		t.Error("found a key that was never put")
	}
}
