package preview

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
)

// TestCapture_Limit: the same records are refused as by a sender, which accepts large ones that
// compress well.
func TestCapture_Limit(t *testing.T) {
	for name, test := range map[string]struct {
		codec   string
		value   string
		refused bool
	}{
		"small":                 {"none", "v", false},
		"large":                 {"none", strings.Repeat("x", 2000), true},
		"large, but compressed": {"snappy", strings.Repeat("x", 2000), false},
	} {
		t.Run(name, func(t *testing.T) {
			codec, err := recordbatch.NewCodec(test.codec)
			if err != nil {
				t.Fatal(err)
			}
			var got []Record
			c := &capture{topic: &Topic{Name: "rows", MaxBatch: 1000}, partition: 2, codec: codec, into: &got}
			key := []byte("k")
			err = c.Append(key, recordbatch.Bytes(test.value), []recordbatch.Header{{Key: []byte("id"), Value: []byte("1")}})
			key[0] = 'x' // the caller may reuse its memory
			if _, large := errors.AsType[*producer.TooLargeError](err); large != test.refused || err != nil && !large {
				t.Fatalf("Append() = %v, want refused: %v", err, test.refused)
			}
			var want []Record
			if !test.refused {
				want = []Record{{Topic: "rows", Partition: 2, Key: "k", Value: &test.value, Headers: []Header{{Key: "id", Value: "1"}}}}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
		})
	}
	var got []Record
	c := &capture{topic: &Topic{Name: "rows", MaxBatch: 1000}, into: &got}
	if err := c.Append([]byte("k"), nil, nil); err != nil || len(got) != 1 || got[0].Value != nil {
		t.Errorf("a tombstone: %v, %+v", err, got)
	}
}
