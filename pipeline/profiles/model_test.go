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

// world is a topic, a ledger and a source, and plays exports with crashes. Only what
// is in the ledger and in the topic outlives a crash.
type world struct {
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

func (w *world) step() {
	if w.steps == 0 {
		panic(crash{})
	}
	w.steps--
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

func (w *world) write(partition int, l line) {
	for _, before := range w.topic[partition] {
		if before.key == l.key && before.n >= l.n {
			w.t.Fatalf("key %s: export %d after %d", l.key, l.n, before.n)
		}
	}
	w.topic[partition] = append(w.topic[partition], l)
	w.step()
}

func (w *world) marks() Marks {
	marks := Marks{}
	for _, r := range w.record.Absent.Ranges {
		if err := marks.Load(w.runs[r[1]]); err != nil {
			w.t.Fatal(err)
		}
	}
	return marks
}

func (w *world) scan() *Scan {
	s := NewScan("1234", "users", w.record.Seed, w.record.AgainFrom, len(w.topic), w.marks())
	for partition, lines := range w.topic {
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
func (w *world) export(d defects) (crashed bool) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(crash); !ok {
				panic(p)
			}
			crashed = true
		}
	}()
	w.now = w.now.Add(time.Minute)
	started := w.now
	if w.record.Seed == 0 {
		w.record.Seed = w.random.Uint64() | 1
	}
	s := w.scan()
	partitions, err := s.Partitions(w.record.Partitions)
	if err != nil {
		w.t.Fatal(err)
	}
	w.record.Partitions = partitions
	n := max(w.record.N, s.Highest) + 1
	w.record.N = n // acknowledged before the call
	w.step()
	name := fmt.Sprintf("1234/users/2026-11-30/%d", n)
	taken := snapshotTaken{n: n, started: started, request: d.request, had: map[string]bool{},
		whole: !d.cut && !d.unframed && !d.repeats && !d.unreadable}
	evidence := Evidence{Ended: !d.cut, Framed: !d.unframed, Request: d.request}
	keys := slices.Sorted(maps.Keys(w.source))
	if d.cut {
		keys = keys[:w.random.IntN(len(keys)+1)]
	}
	w.history = append(w.history, taken)
	for _, key := range keys {
		if d.lacks[key] {
			continue
		}
		if d.unreadable && evidence.Unreadable == 0 {
			evidence.Unreadable++
			continue
		}
		taken.had[key] = true
		w.meet(s, &evidence, name, n, key, w.source[key], d.refused[key])
		if d.repeats && evidence.Repeated == 0 {
			w.meet(s, &evidence, name, n, key, w.source[key], d.refused[key])
		}
	}
	w.end(s, name, Snapshot{N: n, Started: started, Now: w.now, Evidence: evidence})
	return false
}

func (w *world) meet(s *Scan, e *Evidence, name string, n int, key string, value int, refused bool) {
	print := printOf(key, value)
	v := s.Meet([]byte(key), print)
	switch {
	case v == Repeated || v == Duplicate:
		e.Repeated++
	case v.Op() != "" && refused:
		s.Refused([]byte(key), v)
	case v.Op() != "":
		e.Rows++
		partition := cluster.PartitionOf([]byte(key), w.record.Partitions)
		w.write(partition, line{key, fmt.Sprint("v", value), n, name, string(schema.AppendID(nil, print, 0))})
	default:
		e.Rows++
	}
}

func (w *world) end(s *Scan, name string, snapshot Snapshot) {
	inTopic := s.InTopic()
	approved := 0
	if a := w.record.Approved; a != nil && !snapshot.Now.After(a.Until) {
		approved = a.N
	}
	d := s.Decide(w.policy, &w.record, snapshot)
	var run []byte
	for _, m := range d.Marks {
		run = m.Append(run)
	}
	w.runs = append(w.runs, run)
	w.step()
	d.Record.Absent.Ranges = nil
	if len(run) > 0 {
		d.Record.Absent.Ranges = []ledger.Range{{0, int64(len(w.runs) - 1), int64(len(w.runs))}}
	}
	w.record = d.Record
	w.history[len(w.history)-1].noted = true
	w.step()
	if spent := deleted(w.spent, snapshot.Now) + len(d.Due); len(d.Due) > 0 && spent > Ceiling(inTopic, w.policy.Most) && approved < d.Absent {
		w.t.Fatalf("%d deletes of %d profiles within a week", spent, inTopic)
	}
	for _, m := range d.Due {
		w.mayDelete(string(m.Key), snapshot)
		w.spent = append(w.spent, ledger.Deletion{At: snapshot.Now, N: 1})
		w.write(m.Partition, line{string(m.Key), "", snapshot.N, name, ""})
	}
	if len(d.Due) > 0 {
		Deleted(&d.Record, len(d.Due))
	}
	d.Record.Absent.Ranges = w.record.Absent.Ranges
	w.record = d.Record
	w.step()
}

// mayDelete fails unless two whole snapshots lacked the key, far enough apart, none
// between them had it, and no row of it was published since the first.
func (w *world) mayDelete(key string, now Snapshot) {
	newest := 0
	for _, lines := range w.topic {
		for _, l := range lines {
			if l.key == key && l.value != "" {
				newest = max(newest, l.n)
			}
		}
	}
	last := w.history[len(w.history)-1]
	if last.n != now.N || !last.whole || last.had[key] {
		w.t.Fatalf("export %d deletes %s, which it had", now.N, key)
	}
	for _, former := range slices.Backward(w.history[:len(w.history)-1]) {
		if former.noted && former.had[key] {
			break
		}
		if former.n < now.N && former.n >= newest && former.whole && !former.had[key] && former.request == last.request && now.Started.Sub(former.started) >= w.policy.After {
			return
		}
	}
	w.t.Fatalf("export %d deletes %s, which no whole snapshot before it lacked", now.N, key)
}

// compact removes records that a later one replaces, and some tombstones.
func (w *world) compact() {
	for p, lines := range w.topic {
		var kept []line
		for i, l := range lines {
			later := slices.ContainsFunc(lines[i+1:], func(other line) bool { return other.key == l.key })
			if !later && (l.value != "" || w.random.IntN(2) == 0) {
				kept = append(kept, l)
			}
		}
		w.topic[p] = kept
	}
}

func (w *world) inTopic() map[string]string {
	table := map[string]string{}
	for _, lines := range w.topic {
		for _, l := range lines {
			if table[l.key] = l.value; l.value == "" {
				delete(table, l.key)
			}
		}
	}
	return table
}

func newWorld(t *testing.T, seed uint64) *world {
	random := rand.New(rand.NewPCG(seed, 20))
	w := &world{t: t, random: random, now: time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), source: map[string]int{},
		policy: Policy{After: []time.Duration{0, 24 * time.Hour}[random.IntN(2)], Most: 0.05}, topic: make([][]line, 1+random.IntN(4)), steps: -1}
	for i := range 1 + random.IntN([]int{6, 40}[random.IntN(2)]) {
		w.source[fmt.Sprint("p", i)] = 0
	}
	return w
}

func (w *world) change() {
	for key := range w.source {
		switch w.random.IntN(12) {
		case 0:
			w.source[key] = w.random.IntN(3)
		case 1:
			if w.random.IntN(3) == 0 {
				delete(w.source, key)
			}
		}
	}
	for range w.random.IntN(3) {
		w.source[fmt.Sprint("p", w.random.IntN([]int{6, 45}[w.random.IntN(2)]))] = w.random.IntN(3)
	}
}

func (w *world) someKeys(n int) map[string]bool {
	some := map[string]bool{}
	for key := range w.source {
		if w.random.IntN(n) == 0 {
			some[key] = true
		}
	}
	return some
}

func (w *world) randomDefects() defects {
	d := defects{request: "all"}
	switch w.random.IntN(12) {
	case 0:
		d.cut = true
	case 1:
		d.unframed, d.lacks = true, w.someKeys(2)
	case 2:
		d.repeats, d.lacks = true, w.someKeys(3)
	case 3:
		d.unreadable = true
	case 4:
		d.lacks = w.someKeys(10)
	case 5:
		d.lacks = w.someKeys(1) // empty
	case 6:
		d.request, d.lacks = "audience", w.someKeys(2)
	case 7:
		d.refused = w.someKeys(5)
	}
	return d
}

// settled checks that the topic equals the source after undisturbed exports.
func (w *world) settled() {
	w.steps = -1
	for range 4 {
		w.now = w.now.Add(25 * time.Hour)
		w.record.Approved = &ledger.Approval{N: 1000, Until: w.now.Add(Window)}
		w.export(defects{request: "all"})
	}
	table := w.inTopic()
	for key, value := range w.source {
		if table[key] != fmt.Sprint("v", value) {
			w.t.Fatalf("%s is %q in the topic, %d in the source", key, table[key], value)
		}
	}
	if len(w.source) > 0 && len(table) != len(w.source) {
		w.t.Fatalf("the topic has %d profiles, the source %d", len(table), len(w.source))
	}
}

// TestDecide_RandomHistories plays PROFILE_HISTORIES histories, 1,000 if that is not set.
func TestDecide_RandomHistories(t *testing.T) {
	histories := uint64(1000)
	if more, err := strconv.ParseUint(os.Getenv("PROFILE_HISTORIES"), 10, 64); err == nil {
		histories = more
	}
	for seed := range histories {
		w := newWorld(t, seed)
		for range 12 {
			w.now = w.now.Add(time.Duration(w.random.IntN(30)) * time.Hour)
			w.change()
			w.steps = -1
			if w.random.IntN(3) == 0 {
				w.steps = w.random.IntN(50)
			}
			w.export(w.randomDefects())
			switch w.random.IntN(12) {
			case 0:
				w.compact()
			case 1:
				w.record.AgainFrom = w.record.N + 1
			case 2:
				w.record, w.spent = ledger.Profiles{}, nil // the ledger is lost
			case 3:
				w.record.Approved = &ledger.Approval{N: w.record.Withheld, Until: w.now.Add(Window)}
			case 4:
				w.record.Absent.Ranges = nil // the marks are lost
			}
		}
		w.settled()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestDecide_CrashAfterEachStep plays the same three exports with a crash behind each of their writes.
func TestDecide_CrashAfterEachStep(t *testing.T) {
	for at := 0; ; at++ {
		w := newWorld(t, 4711)
		w.topic, w.policy.After = make([][]line, 3), 0
		w.export(defects{request: "all"})
		delete(w.source, "p1")
		delete(w.source, "p2")
		w.source["p0"] = 9
		w.export(defects{request: "all"})
		w.source["p3"] = 9
		w.steps = at
		crashed := w.export(defects{request: "all"})
		w.steps = -1
		w.export(defects{request: "all"})
		if got, want := len(w.inTopic()), len(w.source); got != want {
			t.Fatalf("crash after step %d: the topic has %d profiles, the source %d", at, got, want)
		}
		if spent := deleted(w.record.Deletes, w.now); spent != 2 {
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
	if most := 26*n + 16*segments*firstSlots; s.Bytes() > most {
		t.Errorf("%d bytes for %d keys, want at most %d", s.Bytes(), n, most)
	}
	if s.find(HashKey(3, []byte("none"))) != nil {
		t.Error("found a key that was never put")
	}
}
