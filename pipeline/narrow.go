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

// slicing is how a day's slices went since it was narrowed. MissingTried of the day's record is when that was.
type slicing struct {
	failed    int
	inRow     int // of those, since the last one that succeeded
	succeeded bool
	took      time.Duration // of all of them
	notBefore int           // failures of the whole day until it is narrowed again
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

// beginNarrowing slices a day, if names of events are known. What it lacked before is asked for as well.
func (t *tenure) beginNarrowing(st *stream, d *day, now time.Time) {
	names := st.names()
	r := &d.record
	if st.Kind != schema.Event || len(names) < 2 || len(r.Slices) > 0 || r.Error.Attempts < d.slices.notBefore {
		return
	}
	r.MissingEvents, r.MissingTried = nil, &now
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
	retry := retriesMissing(r)
	done := r.Slices[0]
	r.Slices = r.Slices[1:]
	r.MissingEvents = without(r.MissingEvents, done.Events)
	if len(done.Exclude) > 0 {
		r.MissingEvents = without(r.MissingEvents, []string{everythingElse})
	}
	d.slices.inRow, d.slices.succeeded = 0, true
	d.slices.took += e.took
	t.slicesLeft(st, d, e, retry)
}

// everythingElse stands among the missing events for those whose names are not known.
const everythingElse = "*"

// hopeless is how many slices, none with success before, may fail until it is taken for the service that fails, not for a query.
const hopeless = 3

// sliceFailed halves the slice, or gives its one event up for now. Slices that fail one after the other are tried ever more slowly:
// they don't count for the breaker, and an outage in the middle of them must cost few calls.
func (t *tenure) sliceFailed(st *stream, d *day, e *export, f *schema.Failure) {
	r, before := &d.record, d.record.Error
	now := time.Now().UTC()
	attempts := 1
	if before != nil {
		attempts = before.Attempts
	}
	d.slices.failed++
	d.slices.inRow++
	d.slices.took += e.took
	r.Error = &ledger.Fault{Code: f.Code, Detail: f.Detail, At: now, Attempts: attempts, Until: now.Add(t.backoff(d.slices.inRow))}
	defer d.keepRefusal(before)
	if !d.slices.succeeded && d.slices.failed >= hopeless && len(r.MissingEvents) == 0 {
		t.dropSlices(d, now)
		return
	}
	retry := retriesMissing(r)
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
	t.slicesLeft(st, d, e, retry)
}

// retriesMissing tells whether the slices under way ask only for what the day lacks; else they ask for the whole day.
func retriesMissing(r *ledger.Day) bool {
	for _, slice := range r.Slices {
		if len(slice.Exclude) > 0 && !slices.Contains(r.MissingEvents, everythingElse) || len(without(slice.Events, r.MissingEvents)) > 0 {
			return false
		}
	}
	return true
}

// dropSlices goes back to the whole day when no slice of it could be exported: that says nothing about any event.
func (t *tenure) dropSlices(d *day, now time.Time) {
	r := &d.record
	r.Slices, r.MissingEvents, r.MissingTried = nil, nil, nil
	r.Error.Until = now.Add(t.backoff(r.Error.Attempts))
	d.slices.notBefore = r.Error.Attempts + t.service.NarrowAfter
}

// slicesLeft concludes a day whose slices are all done. retry says that they were to supply what it lacked: the rest of the day is as old
// as it was.
func (t *tenure) slicesLeft(st *stream, d *day, e *export, retry bool) {
	r := &d.record
	if len(r.Slices) > 0 {
		return
	}
	now := time.Now().UTC()
	since := *r.FirstExport
	if r.MissingTried != nil {
		since = *r.MissingTried
	}
	r.MissingTried = nil
	if len(r.MissingEvents) > 0 {
		r.MissingTried = &now
	}
	switch {
	case !d.slices.succeeded && !retry:
		t.dropSlices(d, now)
		return
	case !d.slices.succeeded:
		r.Error, d.done = nil, true
		return
	case !retry:
		r.LastSuccess, d.took = &since, d.slices.took
	case r.LastSuccess != nil && r.LastSuccess.Before(since):
		since = *r.LastSuccess
	}
	r.Rows, r.Missing = r.Published, 0
	t.exported(st, d, e, since)
}
