package pipeline

import (
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// A day whose query keeps failing is exported in slices by event name: halves of the names known from the stream's other days, and
// one slice of everything else. A slice that fails is halved again until the event that fails stands alone; the day then goes on
// without it. The slices' fingerprints go into the day's one set, so whatever overlaps is published once.

// slicing is how a day's slices went since it was narrowed.
type slicing struct {
	failed    int
	inRow     int // of those, since the last one that succeeded
	succeeded bool
}

// missingRetry is how often a day that lacks events, whose queries fail, is tried again for them.
const missingRetry = 6 * time.Hour

// narrow is the filter of the day's next call, and whether that is a slice.
func narrow(st *stream, d *day, now time.Time) (schema.Filter, bool) {
	r := &d.record
	if len(r.Slices) == 0 && len(r.MissingEvents) > 0 && (r.MissingTried == nil || now.Sub(*r.MissingTried) >= missingRetry) {
		r.MissingTried = &now
		r.Slices = st.missing(r)
		d.slices = slicing{}
	}
	switch {
	case len(r.Slices) > 0:
		return sliced(st.Filter, r.Slices[0]), true
	case slices.Contains(r.MissingEvents, everythingElse):
		return sliced(st.Filter, ledger.Slice{Events: without(st.names(), r.MissingEvents)}), false
	case len(r.MissingEvents) > 0:
		return sliced(st.Filter, ledger.Slice{Exclude: r.MissingEvents}), false
	}
	return st.Filter, false
}

// names are those of the events that the stream exports, as far as they are known.
func (s *stream) names() []string {
	if len(s.Filter.Events) > 0 {
		return s.Filter.Events
	}
	return without(s.kept.Events, s.Filter.ExcludeEvents)
}

// missing are the slices that ask for what a day lacks.
func (s *stream) missing(r *ledger.Day) []ledger.Slice {
	var list []ledger.Slice
	if events := without(r.MissingEvents, []string{everythingElse}); len(events) > 0 {
		list = append(list, ledger.Slice{Events: events})
	}
	if slices.Contains(r.MissingEvents, everythingElse) {
		list = append(list, ledger.Slice{Exclude: slices.Clone(s.names())})
	}
	return list
}

// sliced narrows a stream's filter, which may name events or exclude some already.
func sliced(f schema.Filter, s ledger.Slice) schema.Filter {
	switch {
	case len(s.Events) > 0:
		f.Events, f.ExcludeEvents = s.Events, nil
	case len(f.Events) > 0:
		f.Events = without(f.Events, s.Exclude)
	default:
		f.ExcludeEvents = append(slices.Clone(f.ExcludeEvents), s.Exclude...)
	}
	return f
}

func without(names, gone []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(gone, name) })
}

// beginNarrowing slices a day, if names of events are known.
func (t *tenure) beginNarrowing(st *stream, d *day) {
	names := st.names()
	r := &d.record
	if st.Kind != schema.Event || len(names) < 2 || len(r.Slices) > 0 {
		return
	}
	r.Slices = halves(names)
	if len(st.Filter.Events) == 0 {
		r.Slices = append(r.Slices, ledger.Slice{Exclude: slices.Clone(names)})
	}
	d.slices = slicing{}
	t.log.Warn("a day's query keeps failing: exporting it in slices of events", "stream", st.Name, "day", d.name.Day, "events", len(names),
		"do", "nothing yet: an event that can't be exported will be named")
}

func halves(names []string) []ledger.Slice {
	middle := len(names) / 2
	return []ledger.Slice{{Events: slices.Clone(names[:middle])}, {Events: slices.Clone(names[middle:])}}
}

// sliceDone takes a slice off the day; the last one makes the day exported.
func (t *tenure) sliceDone(st *stream, d *day, e *export) {
	r := &d.record
	done := r.Slices[0]
	r.Slices = r.Slices[1:]
	r.MissingEvents = without(r.MissingEvents, done.Events)
	if len(done.Exclude) > 0 {
		r.MissingEvents = without(r.MissingEvents, []string{everythingElse})
	}
	d.slices.inRow, d.slices.succeeded = 0, true
	t.slicesLeft(st, d, e)
}

// everythingElse stands among the missing events for those whose names are not known.
const everythingElse = "*"

// hopeless is how many slices, none with success before, may fail until it is taken for the service that fails, not for a query.
const hopeless = 3

// sliceFailed halves the slice, or gives its one event up for now. Slices that fail one after the other are tried ever more slowly:
// they don't count for the breaker, and an outage in the middle of them must cost few calls.
func (t *tenure) sliceFailed(d *day, e *export, f *schema.Failure) {
	r := &d.record
	now := time.Now().UTC()
	attempts := 1
	if r.Error != nil {
		attempts = r.Error.Attempts
	}
	d.slices.failed++
	d.slices.inRow++
	r.Error = &ledger.Fault{Code: f.Code, Detail: f.Detail, At: now, Attempts: attempts, Until: now.Add(t.backoff(d.slices.inRow))}
	if !d.slices.succeeded && d.slices.failed >= hopeless && len(r.MissingEvents) == 0 {
		r.Slices = nil
		r.Error.Until = now.Add(t.backoff(attempts))
		return
	}
	bad := r.Slices[0]
	r.Slices = r.Slices[1:]
	switch {
	case len(bad.Events) > 1:
		r.Slices = append(r.Slices, halves(bad.Events)...)
	case len(bad.Events) == 1:
		r.MissingEvents = append(without(r.MissingEvents, bad.Events), bad.Events[0])
		t.log.Error("an event of a day can't be exported: the day goes on without it, and asks for it again every few hours",
			"stream", d.name.Stream, "day", d.name.Day, "event", bad.Events[0], "error", f.Detail, "do", "ask DFINERY about this event of this day")
	default:
		r.MissingEvents = append(without(r.MissingEvents, []string{everythingElse}), everythingElse)
	}
	t.slicesLeft(t.stream(d.name.Stream), d, e)
}

// slicesLeft concludes a day whose slices are all done.
func (t *tenure) slicesLeft(st *stream, d *day, e *export) {
	r := &d.record
	if len(r.Slices) > 0 {
		return
	}
	r.Rows, r.Missing = r.Published, 0
	if len(r.MissingEvents) > 0 {
		now := time.Now().UTC()
		r.MissingTried = &now
	}
	if e.columns == nil {
		// The last slice failed: the day is as exported as it can be, but there is no header to compare.
		started := e.started
		r.LastSuccess, r.State, d.done, d.wanted = &started, ledger.Open, true, false
		r.Error = nil
		return
	}
	t.exported(st, d, e)
}
