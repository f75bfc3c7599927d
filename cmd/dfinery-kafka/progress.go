package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"dfinery-kafka/cmd/app"
	"dfinery-kafka/pipeline/ledger"
)

// progress shows how far something is: a bar with an estimate on a terminal, elsewhere a plain line now and then. It is safe for
// concurrent use, so that a log can be written between two of its drawings.
type progress struct {
	out  io.Writer
	what string

	mu   sync.Mutex
	bar  *progressbar.ProgressBar // nil before the first step, and always where there is no terminal
	said time.Time
}

// seldom is how often a plain line says how far it is.
const seldom = 30 * time.Second

func newProgress(out io.Writer, what string) *progress {
	return &progress{out: out, what: what, said: time.Now()}
}

// at shows that done of total are done.
func (p *progress) at(done, total int, detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !isTerminal(p.out) {
		if time.Since(p.said) >= seldom {
			p.said = time.Now()
			fmt.Fprintf(p.out, "%s: %d of %d%s\n", p.what, done, total, detail)
		}
		return
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(p.out), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true),
			progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	}
	p.bar.ChangeMax(total)
	p.bar.Describe(p.what + detail)
	_ = p.bar.Set(done) // a terminal that can't be written has nothing to be told on
}

// end takes the bar away.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar = nil
	}
}

// Write writes a line of the log without the bar in it.
func (p *progress) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	return p.out.Write(line)
}

// follow shows how far run --once is, on a terminal alone: elsewhere the log has a line for each export. It returns when ctx ends.
func (p *progress) follow(ctx context.Context, a *app.App) {
	if !isTerminal(p.out) {
		return
	}
	began := time.Now()
	for {
		select {
		case <-ctx.Done():
			p.end()
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
		rows, bytes := int64(0), int64(0)
		for _, t := range a.Service.Totals() {
			rows += t.Published + t.Duplicates
			bytes += t.Bytes
		}
		if total > 0 {
			p.at(done, total, fmt.Sprintf(" days, %d rows, %.0f rows/s, %d MB ", rows, float64(rows)/time.Since(began).Seconds(), bytes/1e6))
		}
	}
}
