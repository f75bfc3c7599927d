package exportapi

import (
	"encoding/json"
	"fmt"
	"time"

	"dfinery-kafka/schema"
)

// evidence is an export that showed something.
type evidence struct {
	Stream string     `json:"stream"`
	Day    schema.Day `json:"day"`
	Export int        `json:"export"`
	Line   int        `json:"line"` // of the earlier export's last line
	At     time.Time  `json:"at"`
}

// ending is the line without a newline that ended a day's last export.
type ending struct {
	Day   schema.Day `json:"day"`
	Line  int        `json:"line"`
	Bytes int        `json:"bytes"`
	Tail  uint32     `json:"tail"` // a checksum of its last bytes, cheap to compare with
	Hash  string     `json:"hash"`
}

type learnedJSON struct {
	Proofs         []evidence        `json:"proofs,omitempty"`
	CounterExample *evidence         `json:"counter_example,omitempty"`
	Ends           map[string]ending `json:"ends,omitempty"`
}

// MarshalJSON writes the proofs, the counter-example, and the lines that are looked for.
func (l *LineEndLearner) MarshalJSON() ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return json.Marshal(learnedJSON{l.proofs, l.counterExample, l.ends})
}

// UnmarshalJSON restores what MarshalJSON wrote, in place of all that was learned.
func (l *LineEndLearner) UnmarshalJSON(text []byte) error {
	var saved learnedJSON
	if err := json.Unmarshal(text, &saved); err != nil {
		return fmt.Errorf("restore what was learned of line ends: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.proofs, l.counterExample, l.ends = saved.Proofs, saved.CounterExample, saved.Ends
	return nil
}

// Restore takes what MarshalJSON wrote in place of all that was learned; nothing for a fresh start.
func (l *LineEndLearner) Restore(saved json.RawMessage) error {
	if len(saved) == 0 {
		saved = json.RawMessage("{}")
	}
	return l.UnmarshalJSON(saved)
}

// Habit is what releases before kept instead of proofs, as a member of the source's state.
type Habit struct {
	Whole bool `json:"unterminated_lines_are_whole"`
}

// Habit gives releases before what they can understand.
func (l *LineEndLearner) Habit() *Habit {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return &Habit{l.counterExample == nil && (l.claimed || len(l.proofs) >= enoughProofs)}
}

// Claim takes over a release's habit. It counts as unproven.
func (l *LineEndLearner) Claim(h *Habit) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.claimed = h != nil && h.Whole
}
