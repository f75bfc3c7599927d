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
	// maxEnds bounds the days whose last line is remembered: more than the API's reach has, of more than one stream.
	maxEnds = 256
	// enoughProofs is how many exports must have proven the habit before it is relied on.
	enoughProofs = 3
)

// FinalNewline says whether a body may end without a newline.
type FinalNewline string

// The values of DFINERY_FINAL_NEWLINE.
const (
	// NewlineAuto treats a last line without a newline as cut until the API has proven that it leaves the last newline out.
	NewlineAuto FinalNewline = "auto"
	// NewlineRequired always treats it as cut.
	NewlineRequired FinalNewline = "required"
	// NewlineOptional always treats it as complete.
	NewlineOptional FinalNewline = "optional"
)

// LineEndLearner finds out whether the API leaves out the last newline of a body. A line without a newline may be cut, so it is accepted on
// proof alone: the line that ended an export comes back in a later export of its day, whole and followed by another line. Three exports with such
// a proof make the habit. A longer line in its place is a counter-example and disproves the habit permanently: then bodies are cut.
//
// The zero value has learned nothing. It may be shared by goroutines. MarshalJSON gives what was learned, to be kept over a restart.
type LineEndLearner struct {
	Mode FinalNewline // empty means NewlineAuto; set before use
	Log  *slog.Logger // gets one line when the habit is proven or disproven; nil: none

	mu             sync.Mutex // guards the following
	claimed        bool       // an earlier release accepted such lines as complete, by rules that a cut body could meet
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
	return l.counterExample == nil && len(l.proofs) >= enoughProofs
}

// Hint says what an operator should decide about an earlier release's habit; empty when there is nothing to decide.
func (l *LineEndLearner) Hint() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.claimed || l.counterExample != nil || l.believed() || l.Mode != NewlineAuto && l.Mode != "" {
		return ""
	}
	return fmt.Sprintf("an earlier release took last lines without a newline for whole, which is not proven (%d of %d proofs): an export that ends so counts "+
		"as cut. Set DFINERY_FINAL_NEWLINE=optional if the API is known to leave the last newline out, required if it is known to write it", len(l.proofs), enoughProofs)
}

// watch is what to look for in an export of a day that ended without a newline before.
func (l *LineEndLearner) watch(e schema.Export) lineMatcher {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Private != nil {
		l.forgetUnkeyed(e.Stream)
	}
	end, ok := l.ends[endKey(e)]
	return lineMatcher{export: &e, end: end, watching: ok && l.learns()}
}

// learns says whether anything can still change.
func (l *LineEndLearner) learns() bool {
	return l.counterExample == nil && (l.Mode == NewlineAuto || l.Mode == "")
}

// forgetUnkeyed drops what was kept of a stream's lines before it hid cells: a guessed line could be confirmed by it. Days that are not exported any
// more would keep theirs.
func (l *LineEndLearner) forgetUnkeyed(stream string) {
	for key, end := range l.ends {
		if end.Tail != 0 && strings.HasPrefix(key, stream+"/") {
			delete(l.ends, key)
		}
	}
}

// judge takes what an export showed of the line that ended the one before it. whole says that the export was read to its end.
func (l *LineEndLearner) judge(e schema.Export, m *lineMatcher, whole bool) {
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
		log.Warn("a last line without a newline was torn, it came back longer: exports that end so count as cut from now on",
			"do", "nothing; if the API is known to leave the last newline out, set DFINERY_FINAL_NEWLINE=optional")
	case len(l.proofs) < enoughProofs:
		l.proofs = append(l.proofs, seen)
		if len(l.proofs) == enoughProofs {
			log.Warn("the API leaves out the last newline: a last line without one counts as whole from now on",
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

// ended notes an export's last line, which had no newline, and reports whether it is to be accepted as complete.
func (l *LineEndLearner) ended(e schema.Export, raw []byte, line int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.learns() {
		if l.ends == nil {
			l.ends = map[string]ending{}
		}
		end := ending{Day: e.Day, Line: line, Bytes: len(raw), Hash: lineHash(&e, raw)}
		if e.Private == nil { // a checksum lets guessed bytes be confirmed
			end.Tail = tailSum(raw)
		}
		l.ends[endKey(e)] = end
		l.forgetOldest()
	}
	return l.believed()
}

// terminated drops the day's ending: an export of it has ended with a newline.
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

// endKey identifies a day, or a slice of a day that is exported in slices: each has an end of its own.
func endKey(e schema.Export) string {
	key := e.Stream + "/" + e.Day.String()
	if e.Slice {
		key += "/" + lineHash(new(schema.Export), []byte(strings.Join(e.Filter.Events, "\n")+"\x00"+strings.Join(e.Filter.ExcludeEvents, "\n")))[:8]
	}
	return key
}
