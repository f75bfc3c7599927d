package deadletter_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/deadletter"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// partition accepts records whose values are at most limit bytes.
type partition struct {
	limit  int
	values []string
	ids    []string
}

func (p *partition) Append(_ []byte, value recordbatch.Value, headers []recordbatch.Header) error {
	text, err := value.Append(nil)
	if err != nil {
		return err
	}
	if len(text) > p.limit {
		return &producer.TooLargeError{Bytes: len(text), Limit: p.limit}
	}
	p.values, p.ids = append(p.values, string(text)), append(p.ids, string(headers[0].Value))
	return nil
}

// TestWrite: a letter is redacted before it is truncated to the limit of its topic.
func TestWrite(t *testing.T) {
	call := schema.Export{Service: "1234", Stream: "events", Day: 20779, N: 2}
	clean := func(b []byte) []byte { return []byte(strings.ReplaceAll(string(b), "sesame", "[redacted]")) }
	for limit, size := range map[int]int{1 << 20: 5_000, 3_000: 1 << 10} {
		raw := strings.Repeat("x", 1<<10-3) + "sesame" + strings.Repeat("x", 5_000-1<<10-7)
		letter := schema.RowLetter(call, &schema.BadRow{Code: schema.EmptyKey, Raw: []byte(raw), RawBytes: int64(len(raw))}, 0, schema.Request{}, time.Time{})
		p := partition{limit: limit}
		if err := deadletter.Write(&p, call, letter, []byte("id"), clean); err != nil {
			t.Fatal(err)
		}
		var got schema.DeadLetter
		if err := json.Unmarshal([]byte(p.values[0]), &got); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(p.values[0], "ses") || !got.Redacted || len(got.Row.Raw) != size {
			t.Errorf("limit %d: redacted %v, %d bytes of the row, want %d", limit, got.Redacted, len(got.Row.Raw), size)
		}
		if diff := cmp.Diff([]string{"id"}, p.ids); diff != "" {
			t.Errorf("ids (-want +got):\n%s", diff)
		}
	}
}

func TestOffset(t *testing.T) {
	for name, want := range map[string]*deadletter.Offset{"3/17": {Partition: 3, Offset: 17}, "0/0": {}, "3": nil, "a/1": nil, "-1/2": nil, "1/-2": nil, "1/2/3": nil, "": nil} {
		got, err := deadletter.ParseOffset(name)
		switch {
		case (err == nil) != (want != nil):
			t.Errorf("%q: error %v", name, err)
		case err == nil && (got != *want || got.String() != name):
			t.Errorf("%q is %v", name, got)
		}
	}
	want := []deadletter.Offset{{Partition: 0, Offset: 5}, {Partition: 1, Offset: 2}, {Partition: 1, Offset: 1<<63 - 2}}
	if diff := cmp.Diff(want, deadletter.Sorted([][2]int64{{1, 1<<63 - 1}, {1, 2}, {0, 5}, {1, 2}})); diff != "" {
		t.Errorf("sorted (-want +got):\n%s", diff)
	}
}
