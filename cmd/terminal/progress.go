package terminal

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Progress shows the progress of a task: a bar with an estimate on a terminal, elsewhere an
// occasional plain line. It is safe for concurrent use, so that a log can be written while the
// bar is shown.
type Progress struct {
	out   io.Writer
	what  string
	drawn bool // as a bar

	mu    sync.Mutex
	began time.Time
	bar   *progressbar.ProgressBar // nil before the first step, and always where there is no terminal
	said  time.Time
}

// LineInterval is how often a plain line is written.
const LineInterval = 30 * time.Second

// NewProgress returns the progress of what, shown on out from the first step on.
func NewProgress(out io.Writer, what string) *Progress {
	now := time.Now()
	return &Progress{out: out, what: what, drawn: supportsControl(out), began: now, said: now}
}

// Bar reports whether a bar is drawn, rather than lines written.
func (p *Progress) Bar() bool { return p.drawn }

// At shows that done of total steps are done, followed by the detail.
func (p *Progress) At(done, total int, detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := fmt.Sprintf("%s %d of %d%s", p.what, done, total, detail)
	if !p.drawn {
		if time.Since(p.said) >= LineInterval {
			p.said = time.Now()
			fmt.Fprintln(p.out, text)
		}
		return
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(text), progressbar.OptionSetPredictTime(true),
			progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	} else {
		p.bar.ChangeMax(total)
		p.bar.Describe(text)
	}
	_ = p.bar.Set(done) // an error of the terminal can't be reported anywhere
}

// Days is the detail for a task that is counted in days: the rows and bytes so far, and their rate.
func (p *Progress) Days(rows, bytes int64) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf(" days, %d rows, %.0f rows/s, %.1f MB", rows, float64(rows)/time.Since(p.began).Seconds(), float64(bytes)/1e6)
}

// End removes the bar.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began = time.Now()
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar = nil
	}
}

// Write writes a log line without disturbing the bar.
func (p *Progress) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	return p.out.Write(line)
}
