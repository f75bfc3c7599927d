package schedule

import (
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// A day whose query keeps failing is exported in slices by event name: halves of the
// names known from the stream's other days, and one slice of everything else. A slice
// that fails is halved again until the event that fails is isolated; the day then goes
// on without it. The slices' fingerprints go into the day's one set, so whatever
// overlaps is published once.

// slicing has the results of a day's slices since it was narrowed, at MissingTried of
// the day's record.
type slicing struct {
	failed    int
	inRow     int // failed slices since the last one that succeeded
	succeeded bool
	took      time.Duration // of all of them
	notBefore int           // failures of the whole day before it is narrowed again
}

// missingRetry is the interval at which missing events of a day, whose queries fail,
// are requested again.
const missingRetry = 6 * time.Hour

// sliceMissing adds slices of the day's missing events, if missingRetry has passed since
// they were last requested.
func (d *Day) sliceMissing(now time.Time) {
	r := &d.record
	if len(r.Slices) == 0 && len(r.MissingEvents) > 0 && (r.MissingTried == nil || now.Sub(*r.MissingTried) >= missingRetry) {
		r.MissingTried = &now
		r.Slices = missing(r)
		d.slices = slicing{}
	}
}

// filterOf returns the filter of the day's next call, and whether that is a slice.
func (s *Stream) filterOf(d *Day) (schema.Filter, bool) {
	r := &d.record
	switch {
	case len(r.Slices) > 0:
		return sliced(s.Filter, r.Slices[0]), true
	case slices.Contains(r.MissingEvents, everythingElse):
		return sliced(s.Filter, ledger.Slice{Events: without(s.names.exported(&s.Filter), r.MissingEvents)}), false
	case len(r.MissingEvents) > 0:
		return sliced(s.Filter, ledger.Slice{Exclude: r.MissingEvents}), false
	}
	return s.Filter, false
}

// exported returns the known names of events that a filter lets through.
func (n *names) exported(f *schema.Filter) []string {
	if len(f.Events) > 0 {
		return f.Events
	}
	return without(n.events, f.ExcludeEvents)
}

// missing returns the slices that request a day's missing events. Events of unknown
// names are requested by excluding all others: some of their names may be known by now,
// and so be in no slice of the day.
func missing(r *ledger.Day) []ledger.Slice {
	named := without(r.MissingEvents, []string{everythingElse})
	var list []ledger.Slice
	if len(named) > 0 {
		list = append(list, ledger.Slice{Events: named})
	}
	if len(named) < len(r.MissingEvents) {
		list = append(list, ledger.Slice{Exclude: named})
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

// without returns the names that are not in the other list.
func without(names, others []string) []string {
	if len(names) == 0 {
		return nil
	}
	known := setOf(others)
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return known[name] })
}

// setOf returns a set for lists that may be long: a header can have tens of thousands
// of columns.
func setOf(lists ...[]string) map[string]bool {
	set := map[string]bool{}
	for _, names := range lists {
		for _, name := range names {
			set[name] = true
		}
	}
	return set
}

// narrow slices the day, if names of events are known. Events that were missing before
// are requested as well.
func (s *step) narrow() {
	names := s.st.names.exported(&s.st.Filter)
	r := &s.d.record
	if s.st.Kind.Snapshot() || len(names) < 2 || len(r.Slices) > 0 || r.Error.Attempts < s.d.slices.notBefore {
		return
	}
	r.MissingEvents, r.MissingTried = nil, &s.now
	r.Slices = halves(names)
	if len(s.st.Filter.Events) == 0 {
		r.Slices = append(r.Slices, ledger.Slice{Exclude: slices.Clone(names)})
	}
	s.d.slices = slicing{}
	s.emit(Event{Kind: Narrowed, Count: len(names)})
}

func halves(names []string) []ledger.Slice {
	middle := len(names) / 2
	return []ledger.Slice{{Events: slices.Clone(names[:middle])}, {Events: slices.Clone(names[middle:])}}
}

// everythingElse stands for all events of unknown names in the list of missing events.
const everythingElse = "*"

// hopeless is how many slices may fail, with no success before, until the failure is
// attributed to the service instead of a query.
const hopeless = 3

// sliceDone removes a slice from the day; the last one makes the day exported.
func (s *step) sliceDone() {
	r := &s.d.record
	retry := retriesMissing(r)
	done := r.Slices[0]
	r.Slices = r.Slices[1:]
	r.MissingEvents = without(r.MissingEvents, done.Events)
	if len(done.Events) == 0 {
		r.MissingEvents = without(r.MissingEvents, []string{everythingElse})
		if retry { // it has the whole day except for events that are requested separately
			r.LastSuccess = r.MissingTried
		}
	}
	s.d.slices.inRow, s.d.slices.succeeded = 0, true
	s.d.slices.took += s.o.Took
	s.slicesLeft(retry)
}

// sliceFailed halves the slice, or records its only event as missing. Consecutive
// failures of slices are retried at increasing intervals: they don't count for the
// breaker, and an outage meanwhile must cost few calls.
func (s *step) sliceFailed() {
	r, before, f := &s.d.record, s.d.record.Error, s.o.Failure
	attempts := 1
	if before != nil {
		attempts = before.Attempts
	}
	s.d.slices.failed++
	s.d.slices.inRow++
	s.d.slices.took += s.o.Took
	r.Error = &ledger.Fault{Code: f.Code, Detail: f.Detail, At: s.now, Attempts: attempts, Until: s.now.Add(s.backoff(s.d.slices.inRow))}
	defer s.d.keepOutOfReach(before)
	if !s.d.slices.succeeded && s.d.slices.failed >= hopeless && len(r.MissingEvents) == 0 {
		s.dropSlices()
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
		s.emit(Event{Kind: EventMissing, EventName: bad.Events[0], Detail: f.Detail})
	default:
		r.MissingEvents = append(without(r.MissingEvents, []string{everythingElse}), everythingElse)
	}
	s.slicesLeft(retry)
}

// retriesMissing reports whether the current slices request only missing events, not
// the whole day.
func retriesMissing(r *ledger.Day) bool {
	for _, slice := range r.Slices {
		if len(slice.Events) == 0 && !slices.Contains(r.MissingEvents, everythingElse) || len(without(slice.Events, r.MissingEvents)) > 0 {
			return false
		}
	}
	return true
}

// dropSlices returns to exporting the whole day if no slice could be exported: then no
// single event is the cause.
func (s *step) dropSlices() {
	r := &s.d.record
	r.Slices, r.MissingEvents, r.MissingTried = nil, nil, nil
	r.Error.Until = s.now.Add(s.backoff(r.Error.Attempts))
	s.d.slices.notBefore = r.Error.Attempts + s.policy.NarrowAfter
	s.emit(Event{Kind: NarrowingFailed})
}

// slicesLeft completes a day whose slices are all done. retry: they only requested
// missing events, so the rest of the day is as old as before.
func (s *step) slicesLeft(retry bool) {
	r, slicing := &s.d.record, &s.d.slices
	if len(r.Slices) > 0 {
		return
	}
	since := *r.FirstExport
	if r.MissingTried != nil {
		since = *r.MissingTried
	}
	r.MissingTried = nil
	if len(r.MissingEvents) > 0 {
		r.MissingTried = &s.now
	}
	switch {
	case !slicing.succeeded && !retry:
		s.dropSlices()
		return
	case !slicing.succeeded:
		r.Error, s.d.done = nil, true
		return
	case !retry:
		r.LastSuccess, s.d.took = &since, slicing.took
	case r.LastSuccess != nil && r.LastSuccess.Before(since):
		since = *r.LastSuccess
	}
	r.Rows, r.Missing = r.Published, 0
	s.markExported(since)
}
