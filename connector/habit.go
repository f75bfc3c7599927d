package connector

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"dfinery-kafka/schema"
)

// maxEnds bounds what a Habit remembers: more days than the API's reach has, of more than one stream.
const maxEnds = 256

// Habit is what was learned of the API's way to end a body: whether a last line without newline is whole. At first it is taken for torn. It is whole
// when a later export of the day has that same line followed by another, or when two days end so with the same line twice.
// The zero value has learned nothing. It may be shared by goroutines, and is kept as JSON.
type Habit struct {
	mu    sync.Mutex
	whole bool
	ends  map[string]ending // by stream and day
}

// ending is the line without newline that ended a day's last export.
type ending struct {
	Day   schema.Day `json:"day"`
	Line  int        `json:"line"`
	Bytes int        `json:"bytes"`
	Hash  string     `json:"hash"`
	Twice bool       `json:"twice,omitempty"` // the export before ended with it, too
}

type habitJSON struct {
	Whole bool              `json:"unterminated_lines_are_whole"`
	Ends  map[string]ending `json:"ends,omitempty"`
}

// MarshalJSON writes what was learned, and what is being watched.
func (h *Habit) MarshalJSON() ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return json.Marshal(habitJSON{h.whole, h.ends})
}

// UnmarshalJSON restores what MarshalJSON wrote.
func (h *Habit) UnmarshalJSON(text []byte) error {
	var saved habitJSON
	if err := json.Unmarshal(text, &saved); err != nil {
		return fmt.Errorf("restore the habit: %w", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.whole, h.ends = saved.Whole, saved.Ends
	return nil
}

// Whole says that a last line without newline is taken for a whole one.
func (h *Habit) Whole() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.whole
}

// watch is what to look for in an export of a day that ended without newline before.
func (h *Habit) watch(e schema.Export) sighting {
	h.mu.Lock()
	defer h.mu.Unlock()
	end, ok := h.ends[habitKey(e)]
	return sighting{end: end, watching: ok && !h.whole}
}

// ended notes an export's last line, which had no newline, and says whether it is to be taken for whole.
func (h *Habit) ended(e schema.Export, raw []byte, line int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.whole {
		return true
	}
	end := ending{Day: e.Day, Line: line, Bytes: len(raw), Hash: lineHash(raw)}
	before, ok := h.ends[habitKey(e)]
	end.Twice = ok && before.Bytes == end.Bytes && before.Hash == end.Hash
	if h.ends == nil {
		h.ends = map[string]ending{}
	}
	h.ends[habitKey(e)] = end
	for _, other := range h.ends {
		if end.Twice && other.Twice && other.Day != end.Day {
			h.prove()
			return true
		}
	}
	h.forgetOldest()
	return false
}

// terminated forgets the day's ending: an export of it has ended with a newline.
func (h *Habit) terminated(e schema.Export) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.ends, habitKey(e))
}

// proven notes that a line without newline was seen to be whole.
func (h *Habit) proven() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.prove()
}

func (h *Habit) prove() { h.whole, h.ends = true, nil }

func (h *Habit) forgetOldest() {
	if len(h.ends) <= maxEnds {
		return
	}
	var oldest string
	for key, end := range h.ends {
		if oldest == "" || end.Day < h.ends[oldest].Day {
			oldest = key
		}
	}
	delete(h.ends, oldest)
}

// habitKey tells days apart, and the slices of a day that is exported in slices: each has an end of its own.
func habitKey(e schema.Export) string {
	key := e.Stream + "/" + e.Day.String()
	if e.Slice {
		key += "/" + lineHash([]byte(strings.Join(e.Filter.Events, "\n") + "\x00" + strings.Join(e.Filter.ExcludeEvents, "\n")))[:8]
	}
	return key
}

func lineHash(raw []byte) string { return fmt.Sprintf("%x", schema.BadFingerprint(raw)) }

// sighting looks through an export for the line that ended the one before.
type sighting struct {
	end      ending
	watching bool
	seen     bool
}

// line takes the next line, and says whether the one before it was the line looked for. In an export of one column, where a torn value is easily
// another row's whole one, the line must stand in its old place.
func (s *sighting) line(raw []byte, line, columns int) (proof bool) {
	if s.seen {
		s.watching = false
		return true
	}
	s.seen = len(raw) == s.end.Bytes && (columns > 1 || line == s.end.Line) && lineHash(raw) == s.end.Hash
	return false
}
