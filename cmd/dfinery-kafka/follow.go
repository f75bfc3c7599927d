package main

import (
	"context"
	"time"

	"dfinery-kafka/cmd/app"
	"dfinery-kafka/cmd/terminal"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/ledger"
)

// follow shows the progress of run --once on a terminal. It returns when ctx ends.
func follow(ctx context.Context, shown *terminal.Progress, a *app.App) {
	if !shown.Bar() {
		return
	}
	defer shown.End()
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(300 * time.Millisecond):
		}
		if done, total := exported(a.Service.Status().Streams); total > 0 {
			shown.At(done, total, shown.Days(a.Moved()))
		}
	}
}

// exported returns how many of the due days have been exported, and how many there are.
func exported(streams []pipeline.StreamStatus) (done, total int) {
	for i := range streams {
		s := &streams[i]
		total += len(s.Days) + s.Untried
		for j := range s.Days {
			if d := &s.Days[j]; d.State != ledger.Pending && !d.Running {
				done++
			}
		}
	}
	return done, total
}
