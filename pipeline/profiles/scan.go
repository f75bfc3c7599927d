package profiles

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// Scan reads the records of a topic, those of each partition in order. The last
// record of a key counts.
type Scan struct {
	State State
	Marks Marks
	// Records is how many records were read, and Highest the highest number of an
	// export of the stream among them.
	Records int
	Highest int

	prefix    []byte // SERVICE/STREAM/, the start of the ids of exports
	seed      uint64
	againFrom int
	used      int    // partitions up to the last one that has a key, or the stream's tombstone of one
	misfit    []bool // by number of partitions: some key or tombstone of the stream is not in its partition

	// The last header "export", as most consecutive records have the same.
	export     []byte
	number     int
	exportKind kind
}

// NewScan starts the scan of a topic with this many partitions. Rows of exports before
// againFrom must be published again.
func NewScan(service, stream string, seed uint64, againFrom, partitions int, marks Marks) *Scan {
	return &Scan{prefix: []byte(service + "/" + stream + "/"), seed: seed, againFrom: againFrom, Marks: marks, misfit: make([]bool, partitions+1)}
}

// Add adds one record.
func (s *Scan) Add(partition int, r *recordbatch.Record) {
	s.Records++
	if r.Key == nil {
		return
	}
	h := HashKey(s.seed, r.Key)
	kind, n, id := s.classify(r)
	if n > s.Highest {
		s.Highest = n
	}
	s.State.put(h).set(kind, id)
	// A key that returns must not move either: a consumer that reads partition by
	// partition could see its tombstone last.
	ours := kind == own || kind == stale || kind == noValue && s.exportKind == own
	if kind.inTopic() || ours {
		s.used = max(s.used, partition+1)
	}
	if ours {
		s.place(partition, r.Key)
	}
	if m := s.Marks[h]; m != nil {
		m.inTopic, m.superseded, m.Partition = kind.inTopic(), kind == unknownWriter || n > m.N, partition
		m.Key = append(m.Key[:0], r.Key...)
	}
}

// classify returns the state of a key after a record, and the number of the record's
// export if it is one of the stream.
func (s *Scan) classify(r *recordbatch.Record) (k kind, n int, id uint64) {
	export := r.Header("export")
	if !bytes.Equal(export, s.export) || s.export == nil {
		s.export = append(s.export[:0], export...)
		s.exportKind, s.number = s.classifyExport(export)
	}
	k, n = s.exportKind, s.number
	if r.Value == nil {
		return noValue, n, 0
	}
	fingerprint, _, err := schema.ParseID(r.Header("id"))
	switch {
	case err != nil:
		return unknownWriter, 0, 0
	case k == own && n < s.againFrom:
		k = stale
	}
	return k, n, shortID(fingerprint)
}

func (s *Scan) classifyExport(export []byte) (kind, int) {
	rest, ours := bytes.CutPrefix(export, s.prefix)
	if !ours {
		if _, err := schema.ParseExportID(string(export)); err != nil {
			return unknownWriter, 0
		}
		return otherStream, 0
	}
	day, number, _ := bytes.Cut(rest, []byte("/"))
	n, err := strconv.Atoi(string(number))
	if _, err2 := schema.ParseDay(string(day)); err != nil || err2 != nil {
		return unknownWriter, 0
	}
	return own, n
}

// place determines for which numbers of partitions the key is in the right one.
func (s *Scan) place(partition int, key []byte) {
	hash := cluster.Murmur2(key) & 0x7fffffff
	for n := 1; n < len(s.misfit); n++ {
		if !s.misfit[n] && int(hash)%n != partition {
			s.misfit[n] = true
		}
	}
}

// SharedError reports that another stream writes to the topic.
type SharedError struct{ Keys int }

func (e *SharedError) Error() string {
	return fmt.Sprintf("%d keys of the topic were last written by another service or stream", e.Keys)
}

// MisfitError reports that keys are in the wrong partitions.
type MisfitError struct{ Used, Partitions int }

func (e *MisfitError) Error() string {
	return fmt.Sprintf("keys of the topic are in the wrong partitions, for a topic of %d partitions as well as for one of %d", e.Partitions, e.Used)
}

// Partitions is over how many partitions keys are distributed. pinned is the number
// in the ledger, or 0. For a topic without keys and tombstones it is the current number
// of partitions. Without pinned it is inferred: the topic's partitions if all keys match
// these, else those up to the last partition that has a key.
func (s *Scan) Partitions(pinned int) (int, error) {
	now := len(s.misfit) - 1
	switch {
	case s.used == 0:
		return now, nil
	case pinned > 0 && pinned <= now && !s.misfit[pinned]:
		return pinned, nil
	case pinned > 0:
		return 0, &MisfitError{Used: s.used, Partitions: pinned}
	case !s.misfit[now]:
		return now, nil
	case !s.misfit[s.used]:
		return s.used, nil
	}
	return 0, &MisfitError{Used: s.used, Partitions: now}
}

// Shared returns a *SharedError if another stream writes to the topic.
func (s *Scan) Shared() error {
	keys := 0
	for _, slot := range s.State.all {
		if slot.kind() == otherStream {
			keys++
		}
	}
	if keys == 0 {
		return nil
	}
	return &SharedError{Keys: keys}
}

// unchangedMarks returns the marks of keys that are unchanged since they were marked, in
// the order of their hashes.
func (s *Scan) unchangedMarks() []*Mark {
	var list []*Mark
	for _, m := range s.Marks {
		if m.unchanged() {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, compareMarks)
	return list
}
