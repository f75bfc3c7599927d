package cluster

import (
	"testing"
	"time"
)

// TestHole: after which empty answers below the high watermark the offsets count as a gap.
func TestHole(t *testing.T) {
	tests := map[string]struct {
		compacted bool
		answers   []time.Duration // after the first
		want      int             // the answer that is accepted, counted from 1; 0: none
	}{
		"compacted, one answer":      {true, []time.Duration{0}, 0},
		"compacted, two answers":     {true, []time.Duration{0, time.Millisecond}, 2},
		"not compacted, two answers": {false, []time.Duration{0, time.Millisecond}, 0},
		"not compacted, many":        {false, []time.Duration{0, 10 * time.Second, 29 * time.Second}, 0},
		"not compacted, for long":    {false, []time.Duration{0, 10 * time.Second, 30 * time.Second}, 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var d doubt
			began, got := time.Now(), 0
			for i, after := range test.answers {
				if d.isHole(7, began.Add(after), test.compacted) && got == 0 {
					got = i + 1
				}
			}
			if got != test.want {
				t.Errorf("accepted at answer %d, want %d", got, test.want)
			}
			if d.isHole(8, began.Add(time.Hour), test.compacted) {
				t.Error("the first answer for another offset is accepted")
			}
		})
	}
}
