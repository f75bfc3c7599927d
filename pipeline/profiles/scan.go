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

// Scan takes the records of a topic, those of a partition in their order. A key's
// last record counts.
type Scan struct {
	State State
	Marks Marks
	// Records is how many records were read, and Highest the highest number of an
	// export of the stream among them.
	Records int
	Highest int

	prefix    []byte // SERVICE/STREAM/ as exports are named
	seed      uint64
	againFrom int
	used      int    // partitions up to the last one that has a key
	misfit    []bool // by a number of partitions: some key of ours is not in its partition

	// The last header "export", which most records share with the one before.
	export     []byte
	number     int
	exportKind kind
}

// NewScan begins the scan of a topic with that many partitions. Rows of exports before
// againFrom are to be published again.
func NewScan(service, stream string, seed uint64, againFrom, partitions int, marks Marks) *Scan {
	return &Scan{prefix: []byte(service + "/" + stream + "/"), seed: seed, againFrom: againFrom, Marks: marks, misfit: make([]bool, partitions+1)}
}

// Add takes one record.
func (s *Scan) Add(partition int, r *recordbatch.Record) {
	s.Records++
	if r.Key == nil {
		return
	}
	h := HashKey(s.seed, r.Key)
	kind, n, id := s.judge(r)
	if n > s.Highest {
		s.Highest = n
	}
	s.State.put(h).set(kind, id)
	if kind.inTopic() {
		s.used = max(s.used, partition+1)
	}
	if kind == own || kind == stale {
		s.place(partition, r.Key)
	}
	if m := s.Marks[h]; m != nil {
		m.alive, m.void, m.Partition = kind.inTopic(), kind == alien || n > m.N, partition
		m.Key = append(m.Key[:0], r.Key...)
	}
}

// judge returns the state in which a record leaves its key, and the number of its export if
// that is one of the stream.
func (s *Scan) judge(r *recordbatch.Record) (k kind, n int, id uint64) {
	export := r.Header("export")
	if !bytes.Equal(export, s.export) || s.export == nil {
		s.export = append(s.export[:0], export...)
		s.exportKind, s.number = s.judgeExport(export)
	}
	k, n = s.exportKind, s.number
	if r.Value == nil {
		return gone, n, 0
	}
	print, _, err := schema.ParseID(r.Header("id"))
	switch {
	case err != nil:
		return alien, 0, 0
	case k == own && n < s.againFrom:
		k = stale
	}
	return k, n, shortID(print)
}

func (s *Scan) judgeExport(export []byte) (kind, int) {
	rest, ours := bytes.CutPrefix(export, s.prefix)
	if !ours {
		if _, err := schema.ParseExportID(string(export)); err != nil {
			return alien, 0
		}
		return foreign, 0
	}
	day, number, _ := bytes.Cut(rest, []byte("/"))
	n, err := strconv.Atoi(string(number))
	if _, err2 := schema.ParseDay(string(day)); err != nil || err2 != nil {
		return alien, 0
	}
	return own, n
}

// place finds out which numbers of partitions the key fits.
func (s *Scan) place(partition int, key []byte) {
	hash := cluster.Murmur2(key) & 0x7fffffff
	for n := 1; n < len(s.misfit); n++ {
		if !s.misfit[n] && int(hash)%n != partition {
			s.misfit[n] = true
		}
	}
}

// SharedError says that another stream writes the topic.
type SharedError struct{ Keys int }

func (e *SharedError) Error() string {
	return fmt.Sprintf("%d keys of the topic were last written by another service or stream", e.Keys)
}

// MisfitError says that keys are not in the partitions where they belong.
type MisfitError struct{ Used, Partitions int }

func (e *MisfitError) Error() string {
	return fmt.Sprintf("keys of the topic stand in partitions where they do not belong, for a topic of %d partitions as for one of %d", e.Partitions, e.Used)
}

// Partitions is over how many partitions keys are spread, when the ledger says
// that they are spread over pinned; 0 if it says nothing. A topic without keys is
// filled as it is now. What is not known is inferred: the topic's partitions if
// all keys fit these, else those up to the last one that has a key.
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

// Shared is a *SharedError if another stream writes the topic.
func (s *Scan) Shared() error {
	keys := 0
	for _, slot := range s.State.all {
		if slot.kind() == foreign {
			keys++
		}
	}
	if keys == 0 {
		return nil
	}
	return &SharedError{Keys: keys}
}

// standing are the marks of keys that are as they were when they were marked, by
// their hashes in order.
func (s *Scan) standing() []*Mark {
	var list []*Mark
	for _, m := range s.Marks {
		if m.stands() {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, compareMarks)
	return list
}
