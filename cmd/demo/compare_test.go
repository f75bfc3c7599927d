package main_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	demo "dfinery-kafka/cmd/demo"
	"dfinery-kafka/schema"
)

func TestCompare(t *testing.T) {
	record := func(offset int64, key, id, day, value string) demo.Message {
		return demo.Message{Offset: offset, Key: []byte(key), Value: []byte(value), Headers: map[string]string{"id": id, "export": "1234/events/" + day + "/1"}}
	}
	const first, other, later = "2026-11-23", "2026-11-22", "2026-11-24"
	row := func(user, city string) map[string]string {
		return map[string]string{"df_unified_id": user, "city": city}
	}
	days := map[schema.Day][]map[string]string{20780: {row("a", "Seoul"), row("a", "Seoul"), row("b", "부산")}}
	if got := schema.Day(20780).String(); got != first {
		t.Fatalf("day 20780 is %s", got)
	}
	a1 := record(0, "a", "x", first, `{"df_unified_id":"a","city":"Seoul"}`)
	a2 := record(1, "a", "x.1", first, `{"city":"Seoul","df_unified_id":"a"}`)
	b := record(2, "b", "y", first, `{"df_unified_id":"b","city":"부산"}`)
	counted := func(records int, faults ...string) demo.Comparison {
		return demo.Comparison{Rows: 3, Records: records, Cells: 6, Faults: faults}
	}
	const (
		missingA = `1 missing: 2026-11-23 {"city":"Seoul","df_unified_id":"a"}`
		missingB = `1 missing: 2026-11-23 {"city":"부산","df_unified_id":"b"}`
	)
	tests := map[string]struct {
		records []demo.Message
		want    demo.Comparison
	}{
		"equal":                    {[]demo.Message{b, a2, a1}, counted(3)},
		"with a day that is newer": {[]demo.Message{a1, a2, b, record(3, "c", "z", later, `{}`)}, counted(3)},
		"a copy is missing":        {[]demo.Message{a1, b}, counted(2, missingA)},
		"a row twice": {[]demo.Message{a1, a2, b, record(3, "b", "y", first, `{"df_unified_id":"b","city":"부산"}`)},
			counted(4, `1 too many: 2026-11-23 {"city":"부산","df_unified_id":"b"}`, "partition 0, offset 3: its id occurs twice")},
		"a cell differs": {[]demo.Message{a1, a2, record(2, "b", "y", first, `{"df_unified_id":"b","city":"Busan"}`)},
			counted(3, missingB, `1 too many: 2026-11-23 {"city":"Busan","df_unified_id":"b"}`)},
		"a cell too many": {[]demo.Message{a1, a2, record(2, "b", "y", first, `{"df_unified_id":"b","city":"부산","x":""}`)},
			counted(3, missingB, `1 too many: 2026-11-23 {"city":"부산","df_unified_id":"b","x":""}`)},
		"under another key": {[]demo.Message{a1, a2, record(2, "a", "y", first, string(b.Value))},
			counted(3, "partition 0, offset 2: the key is not the row's df_unified_id")},
		"under another day": {[]demo.Message{a1, a2, record(2, "b", "y", other, string(b.Value))}, counted(2, missingB)},
		"no JSON": {[]demo.Message{a1, a2, record(2, "b", "y", first, `{"city":1}`)},
			counted(3, missingB, "partition 0, offset 2: not a flat JSON object: json: cannot unmarshal number into Go value of type string")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := demo.Compare(days, test.records)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("comparison (-want +got):\n%s", diff)
			}
			if (got.Err() != nil) != (len(test.want.Faults) > 0) {
				t.Errorf("Err() = %v", got.Err())
			}
		})
	}
	if demo.Compare(nil, nil).Err() == nil {
		t.Error("a comparison without rows is a success")
	}
}
