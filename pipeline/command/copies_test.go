package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/deadletter"
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// copiesSimulation simulates a day of a source with identical rows, a Kafka that refuses random
// rows and may fail at any append, and a ledger.
type copiesSimulation struct {
	t      *testing.T
	rng    *rand.Rand
	source []string // rows

	executor *Executor
	stream   *transfer.Stream
	calls    int
	refuse   float64 // share of rows that Kafka refuses as too large
	ends     int     // appends until Kafka fails; negative: it does not

	topic   []string // ids
	letters []writtenLetter
	// The ledger, and the lengths of the topics at the last checkpoint.
	rows            []schema.Fingerprint
	numbered        []dedup.Copy
	marked, markedL int
}

type writtenLetter struct {
	id []byte // the header
	schema.DeadLetter
}

const today schema.Day = 20_000

var errKafkaFailed = errors.New("kafka has failed")

func newCopiesSimulation(t *testing.T, rng *rand.Rand) *copiesSimulation {
	w := &copiesSimulation{t: t, rng: rng, ends: -1}
	w.start()
	return w
}

// start starts a process, which restores its state from the ledger and the topics.
func (w *copiesSimulation) start() {
	w.stream = &transfer.Stream{StreamConfig: schedule.StreamConfig{Name: "events", Kind: schema.Event, Key: "key"}, MaxBad: 1}
	streams := []transfer.Stream{*w.stream}
	transfers := transfer.New(transfer.Config{Streams: streams, Limit: 1, Log: slog.New(slog.DiscardHandler),
		Redact: func(text []byte) []byte { return text }, Wrote: func(*schema.DeadLetter) {},
		Evolve: func(string) transfer.Evolve {
			return func(context.Context, func(*encoding.Evolution) (*encoding.Evolution, error)) (*encoding.Evolution, error) {
				return nil, nil
			}
		}})
	transfers.Open("events", []transfer.Appender{copiesTopic{w}})
	transfers.OpenLetters([]transfer.Appender{copiesTopic{w}})
	w.executor = New(Config{Service: "1234", Streams: streams, Parse: parseCopy, Transfers: transfers})
	d := w.day()
	recover := func(id []byte) {
		fingerprint, n, err := schema.ParseID(id)
		if err != nil {
			w.t.Fatal(err)
		}
		d.Rows.Recover(dedup.Copy{Fingerprint: fingerprint, Number: n})
	}
	for _, id := range w.topic[w.marked:] {
		recover([]byte(id))
	}
	for _, l := range w.letters[w.markedL:] {
		recover(l.id)
	}
	w.checkpoint()
	d.Rows.Set = new(dedup.Set)
	for _, i := range w.rng.Perm(len(w.rows)) {
		d.Rows.Set.Load(w.rows[i][:])
	}
	for _, i := range w.rng.Perm(len(w.numbered)) {
		d.Rows.Set.LoadCopy(w.numbered[i])
	}
}

// checkpoint writes the ledger.
func (w *copiesSimulation) checkpoint() {
	d := w.day()
	if w.rng.IntN(3) == 0 {
		d.Rows.Rewrite()
	}
	rows, numbered := d.Rows.Unsaved()
	if d.Rows.Rewriting() {
		w.rows, w.numbered = nil, nil
	}
	w.rows, w.numbered = slices.AppendSeq(w.rows, rows), slices.AppendSeq(w.numbered, numbered)
	d.Rows.Saved()
	w.marked, w.markedL = len(w.topic), len(w.letters)
}

// attempt runs an export or a replay, during which Kafka may fail. It returns false if that
// happened.
func (w *copiesSimulation) attempt(job transfer.Job) bool {
	w.ends = -1
	if w.rng.IntN(3) == 0 {
		w.ends = w.rng.IntN(len(w.source) + 1)
	}
	w.executor.Transfers.Start(w.t.Context(), job)
	e := <-w.executor.Transfers.Ended()
	w.executor.Transfers.TakeBack(e)
	w.executor.Transfers.Collect()
	err := e.Err
	if err != nil && !errors.Is(err, errKafkaFailed) {
		w.t.Fatal(err)
	}
	if err != nil || w.rng.IntN(4) == 0 { // the process is killed
		w.start()
	} else if w.rng.IntN(2) == 0 {
		w.checkpoint()
	}
	return err == nil
}

func (w *copiesSimulation) day() *transfer.Day {
	return w.executor.Transfers.Day(ledger.DayName{Stream: "events", Day: today})
}

func (w *copiesSimulation) call() schema.Export {
	return schema.Export{Service: "1234", Stream: "events", Key: "key", Day: today, N: w.calls}
}

func (w *copiesSimulation) export() bool {
	w.calls++
	rows := slices.Clone(w.source)
	w.rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return w.attempt(transfer.Job{Permit: &copiesPermit{rows: rows}, Call: w.call()})
}

// replay replays letters. It returns false if Kafka failed.
func (w *copiesSimulation) replay(letters []writtenLetter) bool {
	r := &replay{left: make([]deadletter.Offset, len(letters)), days: map[schema.Day]bool{}}
	for _, l := range letters {
		if _, err := w.executor.readRow(&l.DeadLetter, l.id, true, r, w.stream); err != nil {
			w.t.Fatal(err)
		}
		r.left = r.left[1:]
	}
	for i := range r.rows {
		if !w.attempt(transfer.Job{Replay: &r.rows[i], Call: w.call()}) {
			return false
		}
	}
	return true
}

// values returns the values of the source's rows by fingerprint.
func (w *copiesSimulation) values() map[schema.Fingerprint]string {
	values := map[schema.Fingerprint]string{}
	var h schema.Hasher
	for _, text := range w.source {
		row, err := parseCopy(copiesColumns, []byte(text))
		if err != nil {
			w.t.Fatal(err)
		}
		values[h.Row(row)] = fmt.Sprintf(`{"key":"%s","value":"%s"}`, row.Cell(0), row.Cell(1))
	}
	return values
}

// sourceIDs returns the ids of the source's rows.
func (w *copiesSimulation) sourceIDs() map[string]bool {
	ids, copies := map[string]bool{}, map[string]int{}
	var h schema.Hasher
	for _, text := range w.source {
		row, err := parseCopy(copiesColumns, []byte(text))
		if err != nil {
			w.t.Fatal(err)
		}
		ids[string(schema.AppendID(nil, h.Row(row), copies[text]))] = true
		copies[text]++
	}
	return ids
}

// open returns the ids of rows that have letters and are not published.
func (w *copiesSimulation) open() map[string]bool {
	ids := map[string]bool{}
	for _, l := range w.letters {
		if ids[l.Row.ID] {
			w.t.Fatalf("%s has two letters", l.Row.ID)
		}
		ids[l.Row.ID] = true
	}
	for _, id := range w.topic {
		delete(ids, id)
	}
	return ids
}

// check compares the rows that are published or have an open letter with the source.
func (w *copiesSimulation) check(complete bool) {
	w.t.Helper()
	got, want := w.open(), w.sourceIDs()
	for _, id := range w.topic {
		if got[id] {
			w.t.Fatalf("%s is published twice", id)
		}
		got[id] = true
	}
	if !complete {
		maps.DeleteFunc(want, func(id string, _ bool) bool { return !got[id] })
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Fatalf("published rows and open letters (-source +topics):\n%s", diff)
	}
}

// TestCopies_AnyMix: random ones of identical rows are published or refused, letters are replayed
// in random order and repeatedly, days are exported again, and the process is killed at random
// times. Each row of the source is published or has an open letter, and a replay publishes exactly
// the rows of its letters.
func TestCopies_AnyMix(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 400 {
		w := newCopiesSimulation(t, rng)
		texts := []string{"a,1", "b,2", "c,3", ",no key"}
		complete := false // the last export was complete, and the source has not changed since
		for range 12 {
			w.refuse = []float64{0, 0.5, 1}[rng.IntN(3)]
			switch rng.IntN(4) {
			case 0:
				for range rng.IntN(12) {
					w.source, complete = append(w.source, texts[rng.IntN(len(texts))]), false
				}
				fallthrough
			case 1:
				complete = w.export() || complete
			default:
				var some []writtenLetter
				for _, l := range w.letters {
					if rng.IntN(3) > 0 {
						some = append(some, l)
					}
				}
				rng.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
				before := len(w.topic)
				ended := !w.replay(some)
				named := map[string]bool{}
				for _, l := range some {
					named[l.Row.ID] = true
				}
				for _, id := range w.topic[before:] {
					if !named[id] {
						t.Fatalf("a replay published %s, which none of its letters names", id)
					}
				}
				for id := range w.open() {
					if !ended && w.refuse == 0 && named[id] && !bytes.HasPrefix(w.letter(id).Row.Bytes(), []byte(",")) {
						t.Fatalf("a replay has not published %s, which one of its letters names", id)
					}
				}
			}
			w.check(complete)
		}
		w.refuse = 0
		for !w.export() {
		}
		w.check(true)
		rows, letters := len(w.topic), len(w.letters)
		for !w.replay(w.letters) || !w.export() {
		}
		if len(w.topic) != rows || len(w.letters) != letters {
			t.Fatalf("%d rows and %d letters after another export, want %d and %d", len(w.topic), len(w.letters), rows, letters)
		}
	}
}

func (w *copiesSimulation) letter(id string) *schema.DeadLetter {
	for i := range w.letters {
		if w.letters[i].Row.ID == id {
			return &w.letters[i].DeadLetter
		}
	}
	w.t.Fatalf("no letter for %s", id)
	return nil
}

// copiesTopic accepts rows and dead letters.
type copiesTopic struct{ *copiesSimulation }

func (w copiesTopic) TryFlush() bool { return true }

func (w copiesTopic) Append(_ []byte, value recordbatch.Value, headers []recordbatch.Header) error {
	if w.ends == 0 {
		return errKafkaFailed
	}
	w.copiesSimulation.ends--
	id := headers[0].Value
	if len(headers) > 2 {
		l := writtenLetter{id: bytes.Clone(id)}
		text, err := value.Append(nil)
		if err == nil {
			err = json.Unmarshal(text, &l.DeadLetter)
		}
		if err != nil {
			return err
		}
		w.copiesSimulation.letters = append(w.letters, l)
		return nil
	}
	if w.rng.Float64() < w.refuse {
		return &producer.TooLargeError{Topic: "events"}
	}
	text, err := value.Append(nil)
	if err != nil {
		return err
	}
	fingerprint, _, err := schema.ParseID(id)
	if err != nil {
		return err
	}
	if want := w.values()[fingerprint]; string(text) != want {
		w.t.Fatalf("%s has the value %s, want %s", id, text, want)
	}
	w.copiesSimulation.topic = append(w.topic, string(id))
	return nil
}

// copiesPermit is a call whose answer has the given rows.
type copiesPermit struct {
	rows []string
	next int
}

func (p *copiesPermit) Cancel()                  {}
func (p *copiesPermit) Probe() bool              { return false }
func (p *copiesPermit) Close() error             { return nil }
func (p *copiesPermit) Charset() string          { return "" }
func (p *copiesPermit) Framed() bool             { return true }
func (p *copiesPermit) Request() schema.Request  { return schema.Request{} }
func (p *copiesPermit) Columns() *schema.Columns { return copiesColumns }
func (p *copiesPermit) More() bool               { return p.next < len(p.rows) }

func (p *copiesPermit) Export(context.Context, schema.Export) (transfer.Body, error) { return p, nil }

func (p *copiesPermit) Next() (*schema.Row, error) {
	if p.next == len(p.rows) {
		return nil, io.EOF
	}
	p.next++
	return parseCopy(copiesColumns, []byte(p.rows[p.next-1]))
}

var copiesColumns = func() *schema.Columns {
	columns, err := schema.NewColumns([]string{"key", "value"})
	if err != nil {
		panic(err)
	}
	return columns
}()

// parseCopy reads a row of two cells.
func parseCopy(columns *schema.Columns, raw []byte) (*schema.Row, error) {
	key, _, found := bytes.Cut(raw, []byte(","))
	if !found {
		return nil, fmt.Errorf("%q does not have two cells", raw)
	}
	end := uint32(len(key))
	return &schema.Row{Columns: columns, Cells: []schema.Span{{End: end}, {Start: end + 1, End: uint32(len(raw))}}, Data: raw, Raw: raw}, nil
}
