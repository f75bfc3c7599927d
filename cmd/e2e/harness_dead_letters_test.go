package e2e

import (
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/csv"
	"dfinery-kafka/pipeline/command"
	"dfinery-kafka/pipeline/deadletter"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// deadLetters returns the dead letters as a consumer reads them.
func (b *testbed) deadLetters() []schema.DeadLetter {
	b.t.Helper()
	var letters []schema.DeadLetter
	for _, m := range b.consume("dead-letters", kgo.ReadUncommitted()) {
		var l schema.DeadLetter
		if err := json.Unmarshal([]byte(m.Value), &l); err != nil {
			b.t.Fatalf("dead letter %s: %v", m.Value, err)
		}
		if want := "1234/" + l.Stream + "/" + l.Day.String(); m.Key != want || m.Reason != string(l.Error.Code) {
			b.t.Errorf("dead letter of %s has the key %q and the class %q", want, m.Key, m.Reason)
		}
		if strings.Contains(m.Value, canary) {
			b.t.Errorf("the token is in a dead letter: %s", m.Value)
		}
		letters = append(letters, l)
	}
	return letters
}

// deadLettersByCode counts the dead letters by their code; nil if there are none.
func (b *testbed) deadLettersByCode() map[schema.Code]int {
	b.t.Helper()
	var count map[schema.Code]int
	for _, l := range b.deadLetters() {
		if count == nil {
			count = map[schema.Code]int{}
		}
		count[l.Error.Code]++
	}
	return count
}

// createDeadLetterTopic creates the dead-letter topic. It keeps the timestamps that a test writes.
func (b *testbed) createDeadLetterTopic(partitions int32) {
	b.t.Helper()
	b.createTopic("dead-letters", partitions, map[string]string{"message.timestamp.type": "CreateTime"})
}

// rowLetter returns the dead letter of a row that was too large for a former limit.
func rowLetter(t *testing.T, user, pad string, at time.Time) []byte {
	t.Helper()
	raw := user + "," + pad
	l := schema.RowLetter(schema.Export{Service: "1234", Stream: "events", Day: schema.DayOf(at, seoul), N: 1},
		&schema.BadRow{Code: schema.TooLarge, Origin: schema.OriginKafka, Detail: "line 2: too large"}, 0, schema.Request{}, at)
	l.Row.Raw, l.Row.RawBytes, l.Row.Columns = raw, int64(len(raw)), []string{"df_unified_id", "pad"}
	l.Row.ID = rowID(t, l.Row.Columns, raw)
	return encodeLetter(t, l)
}

// rowID returns the id of the first copy of a row.
func rowID(t *testing.T, names []string, raw string) string {
	t.Helper()
	columns, err := schema.NewColumns(names)
	if err != nil {
		t.Fatal(err)
	}
	row, err := csv.ParseRow(columns, []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	var h schema.Hasher
	return string(schema.AppendID(nil, h.Row(row), 0))
}

func exportLetter(t *testing.T, day schema.Day) []byte {
	t.Helper()
	return encodeLetter(t, schema.ExportLetter(&schema.Failure{Code: schema.QueryError, Export: schema.Export{Service: "1234", Stream: "events", Day: day, N: 1}}, time.Now()))
}

func encodeLetter(t *testing.T, l *schema.DeadLetter) []byte {
	t.Helper()
	value, err := l.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// submitReplay submits a replay of letters, including letters that are resolved.
func (b *testbed) submitReplay(t *testing.T, names []string) {
	t.Helper()
	c := ledger.Command{ID: "replay-" + rand.Text(), Service: "1234", Verb: command.VerbReplay, Stream: "events", Given: time.Now()}
	for _, name := range names {
		at, err := deadletter.ParseOffset(name)
		if err != nil {
			t.Fatal(err)
		}
		c.Letters = append(c.Letters, [2]int64{int64(at.Partition), at.Offset})
	}
	value, err := json.Marshal(&c)
	if err != nil {
		t.Fatal(err)
	}
	b.put("ledger", &kgo.Record{Key: []byte("command/" + c.ID), Value: value})
}
