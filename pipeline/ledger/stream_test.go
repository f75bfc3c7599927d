package ledger_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema/encoding"
)

// TestSchemas_Of: the schemas of former topics are kept, in memory and in the record, up to a
// number of topics.
func TestSchemas_Of(t *testing.T) {
	t.Parallel()
	of := func(topic string, fields ...string) *encoding.Evolution {
		e := &encoding.Evolution{Format: encoding.FormatAvro, Topic: topic, Subject: topic + "-value", Fields: []encoding.Field{}}
		for i, name := range fields {
			e.Fields = append(e.Fields, encoding.Field{Column: name, Name: name})
			e.SetID(i+1, len(topic)+i)
		}
		return e
	}
	var s ledger.Schemas
	for _, e := range []*encoding.Evolution{of("a", "x"), of("b", "y"), of("a", "x", "z")} {
		s.Set(e)
	}
	text, err := json.Marshal(&s)
	if err != nil {
		t.Fatal(err)
	}
	var stored ledger.Schemas
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]*encoding.Evolution{"a": of("a", "x", "z"), "b": of("b", "y"), "c": nil} {
		if diff := cmp.Diff(want, stored.Of(topic)); diff != "" {
			t.Errorf("topic %s (-want +got):\n%s", topic, diff)
		}
	}
	if n := len(stored.Former); n != 1 {
		t.Errorf("%d former topics, want only b", n)
	}
	for i := range 9 {
		stored.Set(of(fmt.Sprint("topic ", i)))
	}
	if stored.Of("b") != nil || stored.Of("topic 4") != nil || stored.Of("topic 5") == nil {
		t.Errorf("the former topics are %+v, want the last three", stored.Former)
	}
}
