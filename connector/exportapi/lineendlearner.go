package exportapi

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"dfinery-kafka/schema"
)

const (
	// maxEnds limits the days whose last line is stored. It is more than the API's 30 days of
	// several streams.
	maxEnds = 256
	// requiredProofs is how many exports must prove the habit before it is relied on.
	requiredProofs = 3
)

// FinalNewline is the policy for a body that ends without a newline.
type FinalNewline string

// The values of DFINERY_FINAL_NEWLINE.
const (
	// NewlineAuto treats a last line without a newline as cut until it is proven that the API
	// omits the last newline.
	NewlineAuto FinalNewline = "auto"
	// NewlineRequired always treats it as cut.
	NewlineRequired FinalNewline = "required"
	// NewlineOptional always treats it as complete.
	NewlineOptional FinalNewline = "optional"
)

// LineEndLearner finds out whether the API omits the last newline of a body. A line without a
// newline may be cut, so it is accepted only after proofs: the line that ended an export
// appears in a later export of its day, unchanged and followed by another line. Three exports
// with such a proof establish the habit. A longer line in its place is a counter-example: it
// shows that bodies are cut, and disproves the habit permanently.
//
// The zero value has learned nothing. It is safe for concurrent use. MarshalJSON returns what
// was learned, to be persisted over restarts.
type LineEndLearner struct {
	Mode FinalNewline // empty means NewlineAuto; set before use
	Log  *slog.Logger // gets one line when the habit is proven or disproven; nil: none

	mu             sync.Mutex // guards the following
	claimed        bool       // an earlier release accepted such lines as complete, by rules that a cut body could satisfy
	proofs         []evidence
	counterExample *evidence
	ends           map[string]ending // by stream and day
}

// Believed reports whether a last line without a newline is accepted as complete.
func (l *LineEndLearner) Believed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.believed()
}

func (l *LineEndLearner) believed() bool {
	if l.Mode != NewlineAuto && l.Mode != "" {
		return l.Mode == NewlineOptional
	}
	return l.counterExample == nil && len(l.proofs) >= requiredProofs
}

// Hint tells an operator what to decide about an earlier release's habit; empty if there is
// nothing to decide.
func (l *LineEndLearner) Hint() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.claimed || l.counterExample != nil || l.believed() || l.Mode != NewlineAuto && l.Mode != "" {
		return ""
	}
	return fmt.Sprintf("an earlier release accepted last lines without a newline as complete, which is not proven (%d of %d proofs): such an export now counts "+
		"as cut. Set DFINERY_FINAL_NEWLINE=optional if the API is known to omit the last newline, required if it is known to write it", len(l.proofs), requiredProofs)
}

// watch returns the matcher for an export of a day whose previous export ended without a newline.
func (l *LineEndLearner) watch(e schema.Export) lineMatcher {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Private != nil {
		l.forgetUnkeyed(e.Stream)
	}
	end, ok := l.ends[endKey(e)]
	return lineMatcher{export: &e, end: end, watching: ok && l.learns()}
}

// learns reports whether the result can still change.
func (l *LineEndLearner) learns() bool {
	return l.counterExample == nil && (l.Mode == NewlineAuto || l.Mode == "")
}

// forgetUnkeyed deletes the checksums of a stream's lines that were stored before the stream
// hid cells, as a guessed line could be confirmed by them. Otherwise those of days that are no
// longer exported would remain.
func (l *LineEndLearner) forgetUnkeyed(stream string) {
	for key, end := range l.ends {
		if end.Tail != 0 && strings.HasPrefix(key, stream+"/") {
			delete(l.ends, key)
		}
	}
}

// record stores what an export shows about the line that ended the previous export. whole is
// true if the export was read to its end.
func (l *LineEndLearner) record(e schema.Export, m *lineMatcher, whole bool) {
	proof, counter := m.verdict(whole)
	if !proof && !counter {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.learns() {
		return
	}
	delete(l.ends, endKey(e))
	seen := evidence{Stream: e.Stream, Day: e.Day, Export: e.N, Line: m.end.Line, At: time.Now().UTC()}
	log := l.logger().With("stream", e.Stream, "day", e.Day, "export", e.N, "line", m.end.Line)
	switch {
	case counter:
		l.counterExample, l.ends = &seen, nil
		log.Warn("a last line without a newline was cut: a later export has a longer line. Exports that end without a newline count as cut from now on",
			"do", "nothing; if the API is known to omit the last newline, set DFINERY_FINAL_NEWLINE=optional")
	case len(l.proofs) < requiredProofs:
		l.proofs = append(l.proofs, seen)
		if len(l.proofs) == requiredProofs {
			log.Warn("the API omits the last newline: a last line without one counts as complete from now on",
				"do", "nothing; if the API is known to write it, set DFINERY_FINAL_NEWLINE=required")
		}
	}
}

func (l *LineEndLearner) logger() *slog.Logger {
	if l.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l.Log
}

// ended stores an export's last line, which had no newline, and reports whether to accept it as
// complete.
func (l *LineEndLearner) ended(e schema.Export, raw []byte, line int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.learns() {
		if l.ends == nil {
			l.ends = map[string]ending{}
		}
		end := ending{Day: e.Day, Line: line, Bytes: len(raw), Hash: lineHash(&e, raw)}
		if e.Private == nil { // a checksum would allow guessed bytes to be confirmed
			end.Tail = tailSum(raw)
		}
		l.ends[endKey(e)] = end
		l.forgetOldest()
	}
	return l.believed()
}

// terminated deletes the day's ending, because an export of the day ended with a newline.
func (l *LineEndLearner) terminated(e schema.Export) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.ends, endKey(e))
}

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

// endKey identifies a day, or a slice of a day that is exported in slices.
func endKey(e schema.Export) string {
	key := e.Stream + "/" + e.Day.String()
	if e.Slice {
		key += "/" + lineHash(new(schema.Export), []byte(strings.Join(e.Filter.Events, "\n")+"\x00"+strings.Join(e.Filter.ExcludeEvents, "\n")))[:8]
	}
	return key
}
