package recovery_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/recovery"
	"dfinery-kafka/schema"
)

// memory is a cluster with logs in memory. Offsets without a record are markers, or gaps if
// holes is set.
type memory struct {
	logs  map[recordbatch.TopicPartition]*memoryLog
	since time.Time // argument of the last OffsetsSince
	looks int       // at the offsets of whole logs
}

type memoryLog struct {
	start, end int64
	old        int64 // records before this offset are older than any requested time
	records    map[int64]*recordbatch.Record
	holes      bool
}

func (m *memory) OffsetsSince(_ context.Context, since time.Time, partitions ...recordbatch.TopicPartition) (logs []cluster.LogRange, err error) {
	for _, p := range partitions {
		l := m.logs[p]
		r := cluster.LogRange{Partition: p, Start: l.start, End: l.end}
		if !since.IsZero() {
			m.since, r.Start = since, max(l.start, l.old)
		}
		logs = append(logs, r)
	}
	if since.IsZero() {
		m.looks++
	}
	return logs, nil
}

func (m *memory) Read(_ context.Context, p recordbatch.TopicPartition, from, to int64, v recordbatch.Visitor) error {
	l := m.logs[p]
	if from < l.start || to > l.end {
		return &cluster.RangeError{Topic: p.Topic, Partition: p.Partition, From: from, To: to, Start: l.start, End: l.end}
	}
	for at := from; at < to; at++ {
		switch r := l.records[at]; {
		case r != nil:
			r.Offset = at
			if err := v.Record(r); err != nil {
				return err
			}
		case l.holes && v.Hole != nil:
			v.Hole(at, at+1)
		}
	}
	return nil
}

// append appends a record to the log.
func (l *memoryLog) append(r *recordbatch.Record) {
	l.records[l.end] = r
	l.end++
}

// days is a ledger in memory: the known copies of each day.
type days map[ledger.DayName]*knownDay

type knownDay struct {
	record ledger.Day
	copies []dedup.Copy
}

func (d days) Known(name ledger.DayName) bool { return d[name] != nil }

func (d days) Day(name ledger.DayName) ledger.Day {
	if k := d[name]; k != nil {
		return k.record
	}
	return ledger.Day{State: ledger.Pending, Generation: 1}
}

func (d days) LoadSet(_ context.Context, name ledger.DayName) (*dedup.Set, error) {
	set := new(dedup.Set)
	if k := d[name]; k != nil {
		for _, c := range k.copies {
			set.Put(c.Fingerprint, c.Number)
		}
	}
	return set, nil
}

const today schema.Day = 20780

var (
	name = ledger.DayName{Stream: "events", Day: today}
	rows = recordbatch.TopicPartition{Topic: "rows"}
	dead = recordbatch.TopicPartition{Topic: "dead"}
)

func copyOf(n, number int) dedup.Copy {
	return dedup.Copy{Fingerprint: schema.BadFingerprint(fmt.Append(nil, n)), Number: number}
}

// row returns the record of a copy, written by an export of the day.
func row(c dedup.Copy, export int) *recordbatch.Record {
	id := schema.AppendID(nil, c.Fingerprint, c.Number)
	return &recordbatch.Record{Headers: []recordbatch.Header{{Key: []byte("id"), Value: id},
		{Key: []byte("export"), Value: fmt.Appendf(nil, "1234/events/%s/%d", today, export)}}}
}

func letter(c dedup.Copy, export int, kind string) *recordbatch.Record {
	r := row(c, export)
	r.Headers = append(r.Headers, recordbatch.Header{Key: []byte(schema.HeaderStage), Value: []byte(kind)})
	return r
}

func logOf(records ...*recordbatch.Record) *memoryLog {
	l := &memoryLog{records: map[int64]*recordbatch.Record{}}
	for _, r := range records {
		if r == nil { // a marker
			l.end++
			continue
		}
		l.append(r)
	}
	return l
}

func markAt(p recordbatch.TopicPartition, next, last int64, c dedup.Copy) ledger.Mark {
	return ledger.Mark{Topic: p.Topic, Partition: p.Partition, Next: next, Last: last, ID: string(schema.AppendID(nil, c.Fingerprint, c.Number))}
}

// recovered is a Result in a form that is easy to compare.
type recovered struct {
	Rows, Letters, Exports int
	Copies                 []string
	Next, Last             int64
	Findings               []recovery.Kind
}

func read(t *testing.T, log *memory, known days, p recordbatch.TopicPartition, mark *ledger.Mark, missing bool) recovered {
	t.Helper()
	plan := recovery.Plan{
		Service: "1234", Topics: map[string]string{"events": "rows"}, Letters: "dead", Partitions: slices.Collect(maps.Keys(log.logs)),
		Fenced: func(recordbatch.TopicPartition) bool { return true }, Marks: map[recordbatch.TopicPartition]ledger.Mark{},
		Missing: map[ledger.DayName]bool{}, Oldest: today - 30, Since: time.Unix(1, 0), Ledger: known,
	}
	if mark != nil {
		plan.Marks[p] = *mark
	}
	if missing {
		plan.Missing[name] = true
	}
	result, err := recovery.Read(t.Context(), log, plan)
	if err != nil {
		t.Fatal(err)
	}
	got := recovered{Next: result.Positions[p].Next, Last: result.Positions[p].Last}
	if d := result.Days[name]; d != nil {
		got.Rows, got.Letters, got.Exports = d.Rows, d.Letters, d.Exports
		got.Copies = unsaved(&d.Copies)
	}
	for _, f := range result.Findings {
		got.Findings = append(got.Findings, f.Kind)
	}
	return got
}

func unsaved(d *dedup.Day) (all []string) {
	first, others := d.Unsaved()
	for f := range first {
		all = append(all, fmt.Sprintf("%x.0", f[:4]))
	}
	for c := range others {
		all = append(all, fmt.Sprintf("%x.%d", c.Fingerprint[:4], c.Number))
	}
	slices.Sort(all)
	return all
}

func names(copies ...dedup.Copy) (all []string) {
	for _, c := range copies {
		all = append(all, fmt.Sprintf("%x.%d", c.Fingerprint[:4], c.Number))
	}
	slices.Sort(all)
	return all
}

// TestRead_OneLook: the offsets of all partitions take one request.
func TestRead_OneLook(t *testing.T) {
	log := &memory{logs: map[recordbatch.TopicPartition]*memoryLog{
		rows: logOf(row(copyOf(1, 0), 1)), {Topic: "rows", Partition: 1}: logOf(row(copyOf(2, 0), 1)), dead: logOf(letter(copyOf(3, 0), 1, schema.KindRow)),
	}}
	if got := read(t, log, days{}, rows, nil, false); got.Rows != 2 || got.Letters != 1 {
		t.Errorf("%+v", got)
	}
	if log.looks != 1 {
		t.Errorf("%d looks at the offsets", log.looks)
	}
}

// TestRead: the copies that are recovered from a log, and the findings.
func TestRead(t *testing.T) {
	a, a1, b, c := copyOf(1, 0), copyOf(1, 1), copyOf(2, 0), copyOf(3, 0)
	known := func(copies ...dedup.Copy) days {
		return days{name: {ledger.Day{State: ledger.Open, Generation: 1, Exports: 5, Published: len(copies)}, copies}}
	}
	ptr := func(m ledger.Mark) *ledger.Mark { return &m }
	tests := map[string]struct {
		p       recordbatch.TopicPartition
		log     *memoryLog
		known   days
		mark    *ledger.Mark
		missing bool
		want    recovered
	}{
		"nothing behind the mark": {rows, logOf(row(a, 1), row(b, 1)), known(a, b), ptr(markAt(rows, 2, 1, b)), false, recovered{Next: 2, Last: 1}},
		"rows behind the mark": {rows, logOf(row(a, 1), nil, row(a1, 6), row(c, 7)), known(a), ptr(markAt(rows, 1, 0, a)), false,
			recovered{Rows: 2, Exports: 7, Copies: names(a1, c), Next: 4, Last: 3}},
		"without a mark": {rows, logOf(row(a, 1), row(b, 1)), days{}, nil, false, recovered{Rows: 2, Exports: 1, Copies: names(a, b), Next: 2, Last: 1}},
		"an empty new log": {rows, logOf(nil), known(a, b), ptr(markAt(rows, 2, 1, b)), false,
			recovered{Next: 1, Last: -1, Findings: []recovery.Kind{recovery.Lost}}},
		"a shorter log, with news": {rows, logOf(nil, row(c, 6)), known(a, b), ptr(markAt(rows, 9, 8, b)), false,
			recovered{Rows: 1, Exports: 6, Copies: names(c), Next: 2, Last: 1, Findings: []recovery.Kind{recovery.Lost}}},
		"a shorter log, with what is known": {rows, logOf(row(a, 1), nil, row(a1, 6), row(a1, 6)), known(a, b), ptr(markAt(rows, 9, 8, b)), false,
			recovered{Rows: 1, Exports: 6, Copies: names(a1), Next: 4, Last: 3, Findings: []recovery.Kind{recovery.Lost}}},
		"another record at the mark": {rows, logOf(row(c, 6), row(a, 6), row(a1, 6)), known(a, b), ptr(markAt(rows, 2, 1, b)), false,
			recovered{Rows: 2, Exports: 6, Copies: names(a1, c), Next: 3, Last: 2, Findings: []recovery.Kind{recovery.Lost}}},
		"a marker at the mark": {rows, logOf(row(c, 6), nil), known(a, b), ptr(markAt(rows, 2, 1, b)), false,
			recovered{Rows: 1, Exports: 6, Copies: names(c), Next: 2, Last: 0, Findings: []recovery.Kind{recovery.Lost}}},
		"compaction took the record at the mark": {rows, &memoryLog{end: 3, holes: true, records: map[int64]*recordbatch.Record{2: row(c, 6)}}, known(a, b), ptr(markAt(rows, 2, 1, b)), false,
			recovered{Rows: 1, Exports: 6, Copies: names(c), Next: 3, Last: 2}},
		"older than a replaced log is read for": {rows, &memoryLog{end: 2, old: 1, records: logOf(row(b, 6), row(c, 6)).records}, known(a), ptr(markAt(rows, 9, 8, a)), false,
			recovered{Rows: 1, Exports: 6, Copies: names(c), Next: 2, Last: 1, Findings: []recovery.Kind{recovery.Lost}}},
		"retention went past the mark": {rows, &memoryLog{start: 4, end: 5, records: map[int64]*recordbatch.Record{4: row(c, 6)}}, known(a), ptr(markAt(rows, 2, 1, a)), false,
			recovered{Rows: 1, Exports: 6, Copies: names(c), Next: 5, Last: 4, Findings: []recovery.Kind{recovery.Expired}}},
		"a day whose record is lost": {rows, logOf(row(a, 1), row(b, 1), row(c, 2)), days{}, ptr(markAt(rows, 2, 1, b)), true,
			recovered{Rows: 3, Exports: 2, Copies: names(a, b, c), Next: 3, Last: 2}},
		"a day whose record is lost, with rows twice": {rows, logOf(row(a, 1), row(a, 1), row(b, 2), row(b, 2)), days{}, ptr(markAt(rows, 3, 2, b)), true,
			recovered{Rows: 2, Exports: 2, Copies: names(a, b), Next: 4, Last: 3}},
		"without a mark, with rows twice": {rows, logOf(row(a, 1), row(a, 1), row(b, 1), row(b, 1)), days{}, nil, false,
			recovered{Rows: 2, Exports: 1, Copies: names(a, b), Next: 4, Last: 3}},
		"an older generation": {rows, logOf(row(a, 1), row(c, 6)), days{name: {ledger.Day{Generation: 2, From: 6, Exports: 6}, nil}}, ptr(markAt(rows, 9, 8, b)), false,
			recovered{Rows: 1, Exports: 6, Copies: names(c), Next: 2, Last: 1, Findings: []recovery.Kind{recovery.Lost}}},
		"letters behind the mark": {dead, logOf(letter(a, 1, schema.KindRow), letter(b, 6, schema.KindRow), letter(c, 9, schema.KindExport)), known(a), ptr(markAt(dead, 1, 0, a)), false,
			recovered{Letters: 1, Exports: 9, Copies: names(b), Next: 3, Last: 2}},
		"letters of a replaced log": {dead, logOf(letter(a, 1, schema.KindRow), letter(b, 6, schema.KindRow), letter(c, 9, schema.KindExport)), known(a), ptr(markAt(dead, 7, 6, c)), false,
			recovered{Letters: 1, Exports: 9, Copies: names(b), Next: 3, Last: 2, Findings: []recovery.Kind{recovery.Lost}}},
	}
	for what, test := range tests {
		t.Run(what, func(t *testing.T) {
			log := &memory{logs: map[recordbatch.TopicPartition]*memoryLog{test.p: test.log}}
			if diff := cmp.Diff(test.want, read(t, log, test.known, test.p, test.mark, test.missing)); diff != "" {
				t.Errorf("recovered (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRead_Union reads random logs with any of the ledger's copies, repeatedly: each copy that
// the ledger lacks is recovered once.
func TestRead_Union(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		known := &knownDay{record: ledger.Day{Generation: 1, Exports: 3}}
		all := map[dedup.Copy]bool{} // whether the ledger has it
		for n := range 1 + rng.IntN(30) {
			for number := range 1 + rng.IntN(4) {
				c := copyOf(n, number)
				if all[c] = rng.IntN(2) == 0; all[c] {
					known.copies = append(known.copies, c)
				}
			}
		}
		log := logOf(nil)
		want := map[dedup.Copy]bool{}
		for c, isKnown := range all {
			for range rng.IntN(3) {
				log.append(row(c, 4))
				if !isKnown {
					want[c] = true
				}
			}
		}
		mark := markAt(rows, log.end+5, log.end+4, copyOf(99, 0))
		got := read(t, &memory{logs: map[recordbatch.TopicPartition]*memoryLog{rows: log}}, days{name: known}, rows, &mark, false)
		if diff := cmp.Diff(names(slices.Collect(maps.Keys(want))...), got.Copies); diff != "" || got.Rows != len(want) {
			t.Fatalf("seed %d: %d rows, want %d; copies (-want +got):\n%s", seed, got.Rows, len(want), diff)
		}
	}
}

// TestRead_PartitionsGone: if a topic has fewer partitions than the checkpoint, the rows of
// the others are lost. If it does not exist, it may be created again.
func TestRead_PartitionsGone(t *testing.T) {
	second, other := recordbatch.TopicPartition{Topic: "rows", Partition: 1}, recordbatch.TopicPartition{Topic: "other"}
	log := &memory{logs: map[recordbatch.TopicPartition]*memoryLog{rows: logOf(nil)}}
	result, err := recovery.Read(t.Context(), log, recovery.Plan{
		Service: "1234", Topics: map[string]string{"events": "rows"}, Letters: "dead", Partitions: []recordbatch.TopicPartition{rows},
		Fenced: func(recordbatch.TopicPartition) bool { return true }, Ledger: days{},
		Marks: map[recordbatch.TopicPartition]ledger.Mark{second: {Topic: "rows", Partition: 1, Next: 4}, other: {Topic: "other", Next: 7}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]recovery.Finding{{Kind: recovery.Lost, Partition: second, How: "the topic has 1 partitions now"}}, result.Findings); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if _, carried := result.Carried[other]; !carried || len(result.Carried) != 1 {
		t.Errorf("carried %v, want the mark of %v alone", result.Carried, other)
	}
}

// TestAddDay: a set gets the rows and the dead letters of rows that the topics have of a day and
// its generation, each once, since a time.
func TestAddDay(t *testing.T) {
	a, a1, b, c, d, e := copyOf(1, 0), copyOf(1, 1), copyOf(2, 0), copyOf(3, 0), copyOf(4, 0), copyOf(5, 0)
	other := row(e, 6)
	other.Headers[1].Value = fmt.Appendf(nil, "1234/events/%s/6", today-1)
	second := recordbatch.TopicPartition{Topic: "rows", Partition: 1}
	old := logOf(row(e, 6), row(b, 6), row(b, 6), row(d, 2), other)
	old.old = 1
	log := &memory{logs: map[recordbatch.TopicPartition]*memoryLog{
		rows: logOf(row(a, 3), nil, row(a1, 7)), second: old,
		dead: logOf(letter(c, 6, schema.KindRow), letter(e, 6, schema.KindExport)),
	}}
	set, since := new(dedup.Set), time.Unix(5, 0)
	set.Put(a.Fingerprint, a.Number)
	added, err := recovery.AddDay(t.Context(), log, recovery.Plan{
		Service: "1234", Topics: map[string]string{"events": "rows"}, Letters: "dead", Partitions: slices.Collect(maps.Keys(log.logs)), Since: since,
	}, name, 3, set)
	if err != nil || added != 3 || !log.since.Equal(since) {
		t.Errorf("%d rows added since %v, %v; want 3 since %v", added, log.since, err, since)
	}
	var got []dedup.Copy
	for f, n := range set.All {
		got = append(got, dedup.Copy{Fingerprint: f, Number: n})
	}
	if diff := cmp.Diff(names(a, a1, b, c), names(got...)); diff != "" {
		t.Errorf("set (-want +got):\n%s", diff)
	}
}

// retention is a log whose first record is deleted when it is read for the first time.
type retention struct {
	*memory
	done bool
}

func (r *retention) Read(ctx context.Context, p recordbatch.TopicPartition, from, to int64, v recordbatch.Visitor) error {
	if !r.done {
		r.done = true
		r.logs[p].start++
	}
	return r.memory.Read(ctx, p, from, to, v)
}

// TestAddDay_Retention: if retention deletes records in the meantime, the remaining ones are read.
func TestAddDay_Retention(t *testing.T) {
	log := &retention{memory: &memory{logs: map[recordbatch.TopicPartition]*memoryLog{rows: logOf(row(copyOf(1, 0), 3), row(copyOf(2, 0), 3))}}}
	set := new(dedup.Set)
	added, err := recovery.AddDay(t.Context(), log, recovery.Plan{
		Service: "1234", Topics: map[string]string{"events": "rows"}, Partitions: []recordbatch.TopicPartition{rows}, Since: time.Unix(5, 0),
	}, name, 3, set)
	if err != nil || added != 1 || !set.Has(copyOf(2, 0).Fingerprint, 0) {
		t.Errorf("%d rows added, %v; want the second", added, err)
	}
}
