package privacy

import (
	"fmt"
	"testing"
)

// add looks up a cell and adds it, as a columnHash does. It reports whether a slot was used
// for it, and whether its hash was cached.
func (r *recent) add(cell string) (kept, known bool) {
	s, known := r.slot([]byte(cell))
	if s != nil && !known {
		copy(s.hash[:], cell)
	}
	return s != nil, known
}

// TestRecent_Pause: if all cells of a column differ, its cache is paused and empty. When cells
// begin to repeat, it is used again.
func TestRecent_Pause(t *testing.T) {
	r := new(recent)
	next := 0
	different := func() string { next++; return fmt.Sprint("cell ", next) }
	for range window {
		if kept, known := r.add(different()); !kept || known {
			t.Fatalf("cell %d: kept %v, known %v", next, kept, known)
		}
	}
	for range pause + 1 {
		if kept, _ := r.add(different()); kept {
			t.Fatalf("cell %d is kept during the pause", next)
		}
	}
	if r.slots != [recentSize]slot{} {
		t.Error("cells are kept during the pause")
	}
	r.add("again")
	for range 10 * window {
		if kept, known := r.add("again"); !kept || !known {
			t.Fatalf("a cell that repeats: kept %v, known %v", kept, known)
		}
	}
}

// TestRecent_Windows: a pause depends only on the last window.
func TestRecent_Windows(t *testing.T) {
	for name, test := range map[string]struct {
		distinct int // cells of a window, in turns
		paused   bool
	}{
		"few":                   {recentSize / 16, false},
		"each twice, far apart": {window / 2, true},
		"each once":             {window, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := new(recent)
			for range window {
				r.add("same")
			}
			for i := range window + 1 {
				r.add(fmt.Sprint(i % test.distinct))
			}
			if paused := r.paused > 0; paused != test.paused {
				t.Errorf("paused %v, want %v", paused, test.paused)
			}
		})
	}
}

// TestRecent_Long: long cells are not cached.
func TestRecent_Long(t *testing.T) {
	r := new(recent)
	for size, want := range map[int]bool{1: true, mostRecent: true, mostRecent + 1: false, 1000: false} {
		cell := string(make([]byte, size))
		r.add(cell)
		if kept, known := r.add(cell); kept != want || known != want {
			t.Errorf("%d bytes: kept %v, known %v, want %v", size, kept, known, want)
		}
	}
}
