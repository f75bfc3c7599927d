package profiles

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// model simulates exports and crashes with a topic, a ledger and a source in memory. A
// crash keeps only the ledger and the topic.
type model struct {
	t      *testing.T
	random *rand.Rand
	policy Policy
	now    time.Time
	source map[string]int // the value of each key's row

	topic   [][]line // by partition
	record  ledger.Profiles
	runs    [][]byte // of marks
	history []snapshotTaken
	spent   []ledger.Deletion // deletes whose tombstones were written
	steps   int               // writes left until the crash; negative: no crash
}

type line struct {
	key, value string // value is empty for a tombstone
	n          int
	export, id string
}

type snapshotTaken struct {
	n        int
	started  time.Time
	complete bool
	request  string
	had      map[string]bool
	recorded bool // its end is in the ledger
}

type crash struct{}

func (m *model) step() {
	if m.steps == 0 {
		panic(crash{})
	}
	m.steps--
}

// defects of an answer.
type defects struct {
	cut, unframed, repeats, unreadable bool
	lacks                              map[string]bool // rows that are missing although the answer looks complete
	refused                            map[string]bool // rows that become dead letters
	request                            string
}

func fingerprintOf(key string, value int) schema.Fingerprint {
	return schema.BadFingerprint([]byte(fmt.Sprint(key, value)))
}

func (m *model) write(partition int, l line) {
	for _, before := range m.topic[partition] {
		if before.key == l.key && before.n >= l.n {
			m.t.Fatalf("key %s: a record of export %d follows one of export %d", l.key, l.n, before.n)
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

// export makes one export, with its writes in the order of the owner's, until its end or a crash.
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
		complete: !d.cut && !d.unframed && !d.repeats && !d.unreadable}
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
		m.compare(s, &evidence, name, n, key, m.source[key], d.refused[key])
		if d.repeats && evidence.Repeated == 0 {
			m.compare(s, &evidence, name, n, key, m.source[key], d.refused[key])
		}
	}
	m.end(s, name, Snapshot{N: n, Started: started, Now: m.now, Evidence: evidence})
	return false
}

func (m *model) compare(s *Scan, e *Evidence, name string, n int, key string, value int, refused bool) {
	fingerprint := fingerprintOf(key, value)
	v := s.Compare([]byte(key), fingerprint)
	switch {
	case v == Repeated || v == Duplicate:
		e.Repeated++
	case v.Op() != "" && refused:
		s.Refused([]byte(key), v)
	case v.Op() != "":
		e.Rows++
		partition := cluster.PartitionOf([]byte(key), m.record.Partitions)
		m.write(partition, line{key, fmt.Sprint("v", value), n, name, string(schema.AppendID(nil, fingerprint, 0))})
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
	m.history[len(m.history)-1].recorded = true
	m.step()
	if spent := recentlyDeleted(m.spent, snapshot.Now) + len(d.Due); len(d.Due) > 0 && spent > Ceiling(inTopic, m.policy.Most) && approved < d.Absent {
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

// mayDelete fails the test unless two complete snapshots lacked the key, at least
// policy.After apart, none between them had it, and no row of it was published since the
// first.
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
	if last.n != now.N || !last.complete || last.had[key] {
		m.t.Fatalf("export %d deletes %s, which is in its snapshot", now.N, key)
	}
	for _, former := range slices.Backward(m.history[:len(m.history)-1]) {
		if former.recorded && former.had[key] {
			break
		}
		if former.n < now.N && former.n >= newest && former.complete && !former.had[key] && former.request == last.request && now.Started.Sub(former.started) >= m.policy.After {
			return
		}
	}
	m.t.Fatalf("export %d deletes %s, which every complete snapshot before it had", now.N, key)
}

// compact removes records that have a later one of their key, and random tombstones.
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
