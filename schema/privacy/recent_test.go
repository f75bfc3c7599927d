package privacy

import (
	"fmt"
	"testing"
)

// look is what a columnHash does to one cell, and reports whether its hash was there.
func (r *recent) look(cell string) (kept, known bool) {
	s, known := r.slot([]byte(cell))
	if s != nil && !known {
		copy(s.hash[:], cell)
	}
	return s != nil, known
}

// TestRecent_Pause: a column whose cells all differ is not looked at for a while, and nothing
// of it is kept. When its cells begin to repeat, that is found.
func TestRecent_Pause(t *testing.T) {
	r := new(recent)
	next := 0
	different := func() string { next++; return fmt.Sprint("cell ", next) }
	for range window {
		if kept, known := r.look(different()); !kept || known {
			t.Fatalf("cell %d: kept %v, known %v", next, kept, known)
		}
	}
	for range pause + 1 {
		if kept, _ := r.look(different()); kept {
			t.Fatalf("cell %d is kept during the pause", next)
		}
	}
	if r.slots != [recentSize]slot{} {
		t.Error("cells are kept during the pause")
	}
	r.look("again")
	for range 10 * window {
		if kept, known := r.look("again"); !kept || !known {
			t.Fatalf("a cell that repeats: kept %v, known %v", kept, known)
		}
	}
}

// TestRecent_Windows: whether there is a pause depends on the last window alone.
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
				r.look("same")
			}
			for i := range window + 1 {
				r.look(fmt.Sprint(i % test.distinct))
			}
			if paused := r.paused > 0; paused != test.paused {
				t.Errorf("paused %v, want %v", paused, test.paused)
			}
		})
	}
}

// TestRecent_Long: longer cells are not kept.
func TestRecent_Long(t *testing.T) {
	r := new(recent)
	for size, want := range map[int]bool{1: true, mostRecent: true, mostRecent + 1: false, 1000: false} {
		cell := string(make([]byte, size))
		r.look(cell)
		if kept, known := r.look(cell); kept != want || known != want {
			t.Errorf("%d bytes: kept %v, known %v, want %v", size, kept, known, want)
		}
	}
}
