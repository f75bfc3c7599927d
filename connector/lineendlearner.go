package connector

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"dfinery-kafka/schema"
)

// maxEnds bounds what a LineEndLearner remembers: more days than the API's reach has, of more than one stream.
const maxEnds = 256

// LineEndLearner is what was learned of the API's way to end a body: whether a last line without newline is whole. At first it is taken for torn. It is whole
// when a later export of the day has that same line followed by another, or when two days end so with the same line twice.
// The zero value has learned nothing. It may be shared by goroutines, and is kept as JSON.
type LineEndLearner struct {
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
func (l *LineEndLearner) MarshalJSON() ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return json.Marshal(habitJSON{l.whole, l.ends})
}

// UnmarshalJSON restores what MarshalJSON wrote.
func (l *LineEndLearner) UnmarshalJSON(text []byte) error {
	var saved habitJSON
	if err := json.Unmarshal(text, &saved); err != nil {
		return fmt.Errorf("restore the habit: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.whole, l.ends = saved.Whole, saved.Ends
	return nil
}

// Whole says that a last line without newline is taken for a whole one.
func (l *LineEndLearner) Whole() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.whole
}

// watch is what to look for in an export of a day that ended without newline before.
func (l *LineEndLearner) watch(e schema.Export) lineMatcher {
	l.mu.Lock()
	defer l.mu.Unlock()
	end, ok := l.ends[habitKey(e)]
	return lineMatcher{end: end, watching: ok && !l.whole}
}

// ended notes an export's last line, which had no newline, and says whether it is to be taken for whole.
func (l *LineEndLearner) ended(e schema.Export, raw []byte, line int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.whole {
		return true
	}
	end := ending{Day: e.Day, Line: line, Bytes: len(raw), Hash: lineHash(raw)}
	before, ok := l.ends[habitKey(e)]
	end.Twice = ok && before.Bytes == end.Bytes && before.Hash == end.Hash
	if l.ends == nil {
		l.ends = map[string]ending{}
	}
	l.ends[habitKey(e)] = end
	for _, other := range l.ends {
		if end.Twice && other.Twice && other.Day != end.Day {
			l.prove()
			return true
		}
	}
	l.forgetOldest()
	return false
}

// terminated forgets the day's ending: an export of it has ended with a newline.
func (l *LineEndLearner) terminated(e schema.Export) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.ends, habitKey(e))
}

// proven notes that a line without newline was seen to be whole.
func (l *LineEndLearner) proven() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.prove()
}

func (l *LineEndLearner) prove() { l.whole, l.ends = true, nil }

func (l *LineEndLearner) forgetOldest() {
	if len(l.ends) <= maxEnds {
		return
	}
	var oldest string
	for key, end := range l.ends {
		if oldest == "" || end.Day < l.ends[oldest].Day {
			oldest = key
		}
	}
	delete(l.ends, oldest)
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
