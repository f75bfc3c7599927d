package e2e

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/cluster/clustertest"
	"dfinery-kafka/schema"
)

// message is a record as a consumer reads it.
type message struct {
	Partition          int32
	Key, Value         string
	ID, Export, Reason string
	Headers            map[string]string
}

// day returns the SERVICE/STREAM/DAY of the record's export.
func (m *message) day() string { return m.Export[:strings.LastIndex(m.Export, "/")] }

// consume reads a topic from its start to its end with franz-go.
func (b *testbed) consume(topic string, isolation kgo.IsolationLevel) []message {
	b.t.Helper()
	return b.consumeFrom(topic, isolation, map[int32]int64{})
}

// consumeFrom reads each partition from an offset, or 0, to its end, and updates the offsets.
func (b *testbed) consumeFrom(topic string, isolation kgo.IsolationLevel, from map[int32]int64) []message {
	b.t.Helper()
	var all []message
	b.read(topic, isolation, from, func(r *kgo.Record) { all = append(all, newMessage(r)) })
	return all
}

// read calls each with the records that consumeFrom returns.
func (b *testbed) read(topic string, isolation kgo.IsolationLevel, from map[int32]int64, each func(*kgo.Record)) {
	b.t.Helper()
	topic = b.prefix + topic
	b.withClient(func(ctx context.Context, client *kgo.Client) error {
		return clustertest.ReadTopic(ctx, client, topic, from, func(r *kgo.Record) error {
			each(r)
			return nil
		})
	}, kgo.FetchIsolationLevel(isolation), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords(), kgo.FetchMaxWait(100*time.Millisecond))
}

func newMessage(r *kgo.Record) message {
	m := message{Partition: r.Partition, Key: string(r.Key), Value: string(r.Value), Headers: map[string]string{}}
	for _, h := range r.Headers {
		m.Headers[h.Key] = string(h.Value)
	}
	m.ID, m.Export, m.Reason = m.Headers["id"], m.Headers["export"], m.Headers["__connect.errors.exception.class.name"]
	return m
}

// copies counts the records of the stream events by day and id.
func (b *testbed) copies() map[string]int {
	b.t.Helper()
	copies := map[string]int{}
	for _, m := range b.consume("events", kgo.ReadUncommitted()) {
		copies[m.day()+" "+m.ID]++
	}
	return copies
}

// copiesByDay counts, for each day, the records that are in the topic once, twice and so on.
func (b *testbed) copiesByDay() map[string]map[int]int {
	b.t.Helper()
	days := map[string]map[int]int{}
	for record, n := range b.copies() {
		day, _, _ := strings.Cut(record, " ")
		if days[day] == nil {
			days[day] = map[int]int{}
		}
		days[day][n]++
	}
	return days
}

// row is a comparable row: the names and values of its cells that are not empty, sorted by name.
type row string

type cell struct{ name, value string }

func newRow(cells []cell) row {
	byName := func(x, y cell) int { return strings.Compare(x.name, y.name) }
	if !slices.IsSortedFunc(cells, byName) {
		slices.SortFunc(cells, byName)
	}
	size := 0
	for _, c := range cells {
		size += len(c.name) + len(c.value) + 2
	}
	var text strings.Builder
	text.Grow(size)
	for _, c := range cells {
		text.WriteString(c.name)
		text.WriteByte('\xfe') // not a byte of UTF-8
		text.WriteString(c.value)
		text.WriteByte('\xff')
	}
	return row(text.String())
}

// newRows returns rows that are given as maps of cells by column.
func newRows(records ...map[string]string) []row {
	rows := make([]row, len(records))
	for i, record := range records {
		var cells []cell
		for name, value := range record {
			cells = append(cells, cell{name, value})
		}
		rows[i] = newRow(cells)
	}
	return rows
}

// tableRows returns the rows of an export.
func tableRows(table exporttest.Table) []row {
	byName := make([]int, len(table.Columns)) // columns sorted by name: then the cells of rows need not be sorted
	for n := range byName {
		byName[n] = n
	}
	slices.SortStableFunc(byName, func(x, y int) int { return strings.Compare(table.Columns[x], table.Columns[y]) })
	rows := make([]row, len(table.Rows))
	var cells []cell
	for i, values := range table.Rows {
		cells = cells[:0]
		for _, n := range byName {
			if values[n] != "" {
				cells = append(cells, cell{table.Columns[n], values[n]})
			}
		}
		rows[i] = newRow(cells)
	}
	return rows
}

// rowsOf returns the rows of a day without those of some events.
func (b *testbed) rowsOf(day schema.Day, without ...string) []row {
	return tableRows(b.api.Data.Export(exporttest.Query{Kind: schema.Event, From: day, To: day, Filter: schema.Filter{ExcludeEvents: without}}))
}

// decodeCells returns the cells of a record's value.
func (b *testbed) decodeCells(value string) []cell {
	b.t.Helper()
	if cells, ok := scanCells(value); ok {
		return cells
	}
	record := map[string]string{}
	if err := json.Unmarshal([]byte(value), &record); err != nil {
		b.t.Fatalf("record %s: %v", value, err)
	}
	var cells []cell
	for name, text := range record {
		cells = append(cells, cell{name, text})
	}
	return cells
}

// scanCells decodes an object whose members are strings without escapes, as most records are,
// faster than encoding/json.
func scanCells(value string) (cells []cell, ok bool) {
	cells = make([]cell, 0, strings.Count(value, `":"`))
	rest, ok := strings.CutPrefix(value, "{")
	for ok && rest != "}" {
		var c cell
		if c.name, rest, ok = scanString(rest); !ok {
			return nil, false
		}
		if rest, ok = strings.CutPrefix(rest, ":"); !ok {
			return nil, false
		}
		if c.value, rest, ok = scanString(rest); !ok {
			return nil, false
		}
		cells = append(cells, c)
		if rest != "}" {
			rest, ok = strings.CutPrefix(rest, ",")
		}
	}
	return cells, ok
}

func scanString(text string) (value, rest string, ok bool) {
	if text, ok = strings.CutPrefix(text, `"`); !ok {
		return "", "", false
	}
	end := strings.IndexAny(text, `"\`)
	if end < 0 || text[end] == '\\' {
		return "", "", false
	}
	return text[:end], text[end+1:], true
}

func valueOf(cells []cell, name string) string {
	for _, c := range cells {
		if c.name == name {
			return c.value
		}
	}
	return ""
}

// rows returns the rows of a topic, with duplicates.
func (b *testbed) rows(stream string) []row {
	b.t.Helper()
	var rows []row
	for _, m := range b.consume(stream, kgo.ReadUncommitted()) {
		rows = append(rows, newRow(b.decodeCells(m.Value)))
	}
	return rows
}

// record is a message and the cells of its value.
type record struct {
	message
	cells []cell
}

// records returns the records of a topic.
func (b *testbed) records(stream string) []record {
	b.t.Helper()
	var records []record
	for _, m := range b.consume(stream, kgo.ReadUncommitted()) {
		records = append(records, record{m, b.decodeCells(m.Value)})
	}
	return records
}

// published returns the rows of a topic. It checks that each record has its row's key and a
// unique id, and is visible to read_committed.
func (b *testbed) published(stream string) []row {
	b.t.Helper()
	return b.publishedRows(stream, b.records(stream))
}

// publishedRows is published with records that have been read already.
func (b *testbed) publishedRows(stream string, records []record) []row {
	b.t.Helper()
	committed := 0
	b.read(stream, kgo.ReadCommitted(), map[int32]int64{}, func(*kgo.Record) { committed++ })
	if committed != len(records) {
		b.t.Errorf("read_committed sees %d records, read_uncommitted %d", committed, len(records))
	}
	type id struct{ day, id string }
	ids := make(map[id]bool, len(records))
	rows := make([]row, 0, len(records))
	for _, m := range records {
		if key := valueOf(m.cells, "df_unified_id"); key != m.Key {
			b.t.Errorf("key %q, the row has %q", m.Key, key)
		}
		if ids[id{m.day(), m.ID}] {
			b.t.Errorf("id %s of %s is in the topic twice", m.ID, m.day())
		}
		ids[id{m.day(), m.ID}] = true
		rows = append(rows, newRow(m.cells))
	}
	return rows
}

// served returns the rows that the simulator has sent in complete exports, of all days: each
// row as often as in the export that has most copies of it.
func (b *testbed) served(kind schema.Kind) []row {
	most := map[schema.Day]map[row]int{}
	counted := map[string]bool{}
	var rows []row
	for _, call := range b.api.Calls() {
		if call.Code != "" || call.Kind != kind || call.Status != 200 || !call.Whole || counted[b.api.Data.Variant(call.Query)] {
			continue
		}
		counted[b.api.Data.Variant(call.Query)] = true
		day := call.Query.From
		if most[day] == nil {
			most[day] = map[row]int{}
		}
		seen := map[row]int{}
		for _, r := range tableRows(b.api.Expected(call)) {
			if seen[r]++; seen[r] > most[day][r] {
				most[day][r]++
				rows = append(rows, r)
			}
		}
	}
	return rows
}

// compareEvents compares the rows of the stream events with those that were served.
func (b *testbed) compareEvents() {
	b.t.Helper()
	compareRows(b.t, b.served(schema.Event), b.published("events"))
}

// checkAll compares the topic with what was served: rows, their order and the ledger.
func (b *testbed) checkAll() {
	b.t.Helper()
	events := b.records("events")
	compareRows(b.t, b.served(schema.Event), b.publishedRows("events", events))
	b.checkOrder(events)
	b.checkCounts(events)
}

// compareRows compares two multisets of rows.
func compareRows(t *testing.T, want, got []row) {
	t.Helper()
	count := map[row]int{}
	for _, r := range want {
		count[r]++
	}
	for _, r := range got {
		count[r]--
	}
	shown := 0
	for r, n := range count {
		if n != 0 && shown < 10 {
			shown++
			t.Errorf("%+d of the row %s", -n, strings.NewReplacer("\xfe", "=", "\xff", " ").Replace(string(r)))
		}
	}
	if len(want) == 0 || shown > 0 {
		t.Errorf("%d rows are published, %d were served", len(got), len(want))
	}
}

// checkOrder checks that the rows of a key are published in the order of their export.
func (b *testbed) checkOrder(events []record) {
	b.t.Helper()
	type place struct{ export, key string }
	last := map[place]int{} // position in its day of the last row
	positions := b.rowPositions()
	for _, m := range events {
		id := valueOf(m.cells, "event_log_id")
		position, ok := positions[id]
		if !ok {
			b.t.Fatalf("no row was served with the event_log_id %q", id)
		}
		if at := (place{m.Export, m.Key}); position < last[at] {
			b.t.Errorf("export %s: a row of key %s follows one that is after it in the export", m.Export, m.Key)
		} else {
			last[at] = position
		}
	}
}

// rowPositions returns the positions of rows in the exports of their days, by event_log_id.
func (b *testbed) rowPositions() map[string]int {
	if b.positions != nil {
		return b.positions
	}
	b.positions = map[string]int{}
	counted := map[string]bool{}
	for _, call := range b.api.Calls() {
		if call.Status != 200 || !call.Whole || counted[b.api.Data.Variant(call.Query)] {
			continue
		}
		counted[b.api.Data.Variant(call.Query)] = true
		table := b.api.Expected(call)
		column := slices.Index(table.Columns, "event_log_id")
		for i, row := range table.Rows {
			b.positions[row[column]] = i
		}
	}
	return b.positions
}
