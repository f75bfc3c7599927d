package exportapi

import (
	"encoding/json"
	"fmt"
	"time"

	"dfinery-kafka/schema"
)

// evidence is an export that proved or disproved the habit.
type evidence struct {
	Stream string     `json:"stream"`
	Day    schema.Day `json:"day"`
	Export int        `json:"export"`
	Line   int        `json:"line"` // of the earlier export's last line
	At     time.Time  `json:"at"`
}

// ending is the line without a newline that ended the last export of a day.
type ending struct {
	Day   schema.Day `json:"day"`
	Line  int        `json:"line"`
	Bytes int        `json:"bytes"`
	Tail  uint32     `json:"tail"` // checksum of its last bytes, cheap to compare
	Hash  string     `json:"hash"`
}

type learnedJSON struct {
	Proofs         []evidence        `json:"proofs,omitempty"`
	CounterExample *evidence         `json:"counter_example,omitempty"`
	Ends           map[string]ending `json:"ends,omitempty"`
}

// MarshalJSON writes the proofs, the counter-example, and the last lines to search for.
func (l *LineEndLearner) MarshalJSON() ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return json.Marshal(learnedJSON{l.proofs, l.counterExample, l.ends})
}

// UnmarshalJSON replaces what was learned by what MarshalJSON wrote.
func (l *LineEndLearner) UnmarshalJSON(text []byte) error {
	var saved learnedJSON
	if err := json.Unmarshal(text, &saved); err != nil {
		return fmt.Errorf("restore the line ends: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.proofs, l.counterExample, l.ends = saved.Proofs, saved.CounterExample, saved.Ends
	return nil
}

// Restore replaces what was learned by what MarshalJSON wrote; empty means a fresh start.
func (l *LineEndLearner) Restore(saved json.RawMessage) error {
	if len(saved) == 0 {
		saved = json.RawMessage("{}")
	}
	return l.UnmarshalJSON(saved)
}

// Habit is what earlier releases stored instead of proofs, as a member of the source's state.
type Habit struct {
	Whole bool `json:"unterminated_lines_are_whole"`
}

// Habit is the state in the form that earlier releases read.
func (l *LineEndLearner) Habit() *Habit {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return &Habit{l.counterExample == nil && (l.claimed || len(l.proofs) >= requiredProofs)}
}

// Claim imports the habit of an earlier release, as unproven.
func (l *LineEndLearner) Claim(h *Habit) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.claimed = h != nil && h.Whole
}
