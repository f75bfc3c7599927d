package transfer

import "dfinery-kafka/pipeline/ledger"

// Pause stops all exports between two rows, until the returned function is called.
func (r *Runner) Pause() (resume func()) {
	var held []*Export
	for d := range r.Days {
		if d.export != nil {
			d.export.mu.Lock()
			held = append(held, d.export)
		}
	}
	return func() {
		for _, e := range held {
			e.mu.Unlock()
		}
	}
}

// Progress is what an export has done since the last Collect.
type Progress struct {
	Day   ledger.DayName
	News  Tally
	Lost  int     // rows of the day that the ledger no longer has
	Ended *Export // the export, if it has ended
}

// Collect returns what all exports have done. They must be paused, and everything that
// they appended must be acknowledged.
func (r *Runner) Collect() []Progress {
	var list []Progress
	r.chunks.Store(0)
	for d := range r.Days {
		for _, e := range []*Export{d.export, d.ended} {
			if e == nil {
				continue
			}
			p := Progress{Day: d.Name, News: e.sum.minus(e.saved)}
			if e.lost != nil {
				p.Lost = e.lost.Rows
				e.lost = nil
				d.Rows.Rewrite()
			}
			e.saved = e.sum
			if e == d.ended {
				p.Ended, d.ended = e, nil
			}
			list = append(list, p)
		}
	}
	return list
}

// Unsaved reports whether exports have appended anything since the last Collect.
func (r *Runner) Unsaved() bool {
	for d := range r.Days {
		if d.ended != nil || d.export == nil && d.Rows.Dirty() || d.export != nil && d.export.unsaved() {
			return true
		}
	}
	return false
}

// unsaved reports whether the export has appended anything since the last Collect, or
// is appending now.
func (e *Export) unsaved() bool {
	if !e.mu.TryLock() {
		return true
	}
	defer e.mu.Unlock()
	return e.sum.Published != e.saved.Published || e.sum.NewBad != e.saved.NewBad || e.day.Rows.Dirty()
}

// Pending is roughly how many rows of a day were published since the last Collect.
func (r *Runner) Pending(name ledger.DayName) int {
	if d := r.stream(name.Stream).days[name.Day]; d != nil && d.export != nil {
		return max(0, d.export.live.Load().Published-d.export.saved.Published)
	}
	return 0
}
