package main

import (
	"context"
	"time"

	"dfinery-kafka/cmd/app"
	"dfinery-kafka/cmd/terminal"
	"dfinery-kafka/pipeline/ledger"
)

// follow shows how far run --once is, by a bar alone: elsewhere the log has a line for each export. It returns when ctx ends.
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
		done, total := 0, 0
		for _, s := range a.Service.Status().Streams {
			total += len(s.Days) + s.Untried
			for _, d := range s.Days {
				if d.State != ledger.Pending && !d.Running {
					done++
				}
			}
		}
		if total > 0 {
			shown.At(done, total, shown.Days(a.Moved()))
		}
	}
}
