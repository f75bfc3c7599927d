package profiles

import (
	"cmp"
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
)

// Policy is a stream's policy for deletes.
type Policy struct {
	Never bool          // absent profiles are not deleted, and not marked
	After time.Duration // how long a profile must have been absent
	Most  float64       // maximum share of profiles that may be deleted within Window
}

// Decision is the result of a snapshot. Its marks must be written and acknowledged
// before its record, and the record before the first tombstone.
type Decision struct {
	Record ledger.Profiles // without the ranges of the marks
	Marks  []*Mark
	Due    []*Mark // to be deleted: a subset of Marks
	Why    Why     // why no profile is marked or deleted; empty: the snapshot proves which are absent
	Absent int     // absent keys; unknown for a snapshot that did not end
}

// Snapshot is one export that has ended.
type Snapshot struct {
	N       int
	Started time.Time
	Now     time.Time
	Evidence
}

// Decide evaluates a snapshot after all its rows were passed to Compare. before is the
// stream's record; it is not changed.
func (s *Scan) Decide(p Policy, before *ledger.Profiles, snapshot Snapshot) *Decision {
	d := &Decision{Record: *before}
	r := &d.Record
	r.N = max(r.N, snapshot.N)
	r.Scanned = s.Records
	r.Deletes = s.closeDeletions(before.Deletes, snapshot.Now)
	if a := r.Approved; a != nil && snapshot.Now.After(a.Until) {
		r.Approved = nil
	}
	inTopic, absent := s.count()
	d.Absent = len(absent)
	evidence := snapshot.Evidence
	if a := r.Approved; a != nil && a.Unreadable && d.Absent <= a.N {
		evidence.Unreadable = 0
	}
	d.Why = evidence.whyInconclusive(before.Request)
	if d.Why == "" && !p.Never && !allowed(r, d.Absent, Ceiling(inTopic, p.Most), snapshot.Now) {
		d.Why = OverCeiling
	}
	if snapshot.Ended {
		r.Present, r.Missing = inTopic-d.Absent, d.Absent
		r.Withheld, r.Why = d.Absent, string(d.Why)
		if p.Never {
			r.Withheld = 0
		}
		r.Sample = sample(absent)
		if d.Absent == 0 {
			r.Approved = nil
		}
	}
	switch d.Why {
	case "":
		if !p.Never {
			d.mark(p, s, absent, &snapshot)
		}
		r.Withheld, r.Request = 0, snapshot.Request
		r.Complete = &ledger.Complete{N: snapshot.N, At: snapshot.Now, Profiles: inTopic}
	case RequestChanged:
		r.Request = snapshot.Request // earlier requests prove nothing about this one
	default:
		d.Marks = slices.DeleteFunc(s.unchangedMarks(), func(m *Mark) bool {
			_, known := before.Absent.Times[m.N]
			m.Reserved = false
			return !known || s.present(m.Hash)
		})
	}
	d.keepTimes(before.Absent.Times, snapshot)
	return d
}

// MaxSampled is the maximum number of absent keys in a record.
const MaxSampled = 100

// sample returns some of the absent keys, in the order of their hashes, which is unrelated to
// the keys.
func sample(absent []Hash) []string {
	var some []string
	for _, h := range absent[:min(len(absent), MaxSampled)] {
		some = append(some, h.String())
	}
	return some
}

// allowed reports whether this number of absent profiles is plausible.
func allowed(r *ledger.Profiles, absent, ceiling int, now time.Time) bool {
	return absent+recentlyDeleted(r.Deletes, now) <= ceiling || absent == 0 || r.Approved != nil && absent <= r.Approved.N
}

// count returns how many keys the topic has, and how many of them are absent from
// the snapshot and may be deleted.
func (s *Scan) count() (inTopic int, absent []Hash) {
	for h, slot := range s.State.all {
		k := slot.kind()
		if k.inTopic() {
			inTopic++
		}
		if !slot.seen() && (k == own || k == stale) {
			absent = append(absent, h)
		}
	}
	return inTopic, absent
}

// mark marks the absent keys, keeping existing marks, and selects those that are
// due.
func (d *Decision) mark(p Policy, s *Scan, absent []Hash, snapshot *Snapshot) {
	for _, h := range absent {
		m := &Mark{Hash: h, N: snapshot.N}
		if old := s.Marks[h]; old.unchanged() && old.N < snapshot.N {
			if at, known := d.Record.Absent.Times[old.N]; known {
				*m = *old
				m.Reserved = snapshot.Started.Sub(at) >= p.After
			}
		}
		d.Marks = append(d.Marks, m)
		if m.Reserved {
			d.Due = append(d.Due, m)
		}
	}
	slices.SortFunc(d.Marks, compareMarks)
	slices.SortFunc(d.Due, compareMarks)
	if len(d.Due) > 0 {
		d.Record.Deletes = append(d.Record.Deletes, ledger.Deletion{At: snapshot.Now, Export: snapshot.N, N: len(d.Due)})
	}
}

// keepTimes keeps the times of the remaining marks.
func (d *Decision) keepTimes(before map[int]time.Time, snapshot Snapshot) {
	d.Record.Absent = ledger.Absent{}
	if len(d.Marks) > 0 {
		d.Record.Absent.Times = map[int]time.Time{}
	}
	for _, m := range d.Marks {
		at := snapshot.Started
		if m.N != snapshot.N {
			at = before[m.N]
		}
		d.Record.Absent.Times[m.N] = at
	}
	d.boundTimes()
}

// closeDeletions determines the outcome of deletes that were started but not recorded as
// done: keys that are still in the topic were not deleted. Deletes older than Window
// are removed.
func (s *Scan) closeDeletions(list []ledger.Deletion, now time.Time) []ledger.Deletion {
	notDeleted := 0
	for _, m := range s.Marks {
		if m.Reserved && m.unchanged() {
			notDeleted++
		}
	}
	var kept []ledger.Deletion
	for _, d := range list {
		if !d.Done {
			d.N, d.Done = max(0, d.N-notDeleted), true
		}
		if d.N > 0 && now.Sub(d.At) < Window {
			kept = append(kept, d)
		}
	}
	return boundDeletions(kept)
}

// Deleted records that the n tombstones of the last deletes are acknowledged. Once
// no profile is absent an approval ends: it was given for these profiles, not for the
// next ones.
func Deleted(r *ledger.Profiles, n int) {
	r.Deletes = slices.Clone(r.Deletes)
	if last := len(r.Deletes) - 1; last >= 0 {
		r.Deletes[last].Done = true
	}
	if r.Missing = max(0, r.Missing-n); r.Missing == 0 {
		r.Approved = nil
	}
}

func compareMarks(a, b *Mark) int {
	return cmp.Or(cmp.Compare(a.Hash.hi, b.Hash.hi), cmp.Compare(a.Hash.lo, b.Hash.lo))
}
