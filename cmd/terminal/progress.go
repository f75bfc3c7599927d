package terminal

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Progress shows how far something is: a bar with an estimate on a terminal, elsewhere a plain line now and then. It is safe for
// concurrent use, so that a log can be written between two of its drawings.
type Progress struct {
	out   io.Writer
	what  string
	drawn bool // as a bar

	mu    sync.Mutex
	began time.Time
	bar   *progressbar.ProgressBar // nil before the first step, and always where there is no terminal
	said  time.Time
}

// Seldom is how often a plain line says how far it is.
const Seldom = 30 * time.Second

// NewProgress shows on out how far what is. It shows nothing yet.
func NewProgress(out io.Writer, what string) *Progress {
	now := time.Now()
	return &Progress{out: out, what: what, drawn: obeys(out), began: now, said: now}
}

// Bar reports whether a bar is drawn, rather than lines written.
func (p *Progress) Bar() bool { return p.drawn }

// At shows that done of total are done, and the detail behind them.
func (p *Progress) At(done, total int, detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := fmt.Sprintf("%s %d of %d%s", p.what, done, total, detail)
	if !p.drawn {
		if time.Since(p.said) >= Seldom {
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
	_ = p.bar.Set(done) // if the terminal can't be written, there is nowhere to report that
}

// Days is the detail of work that is counted in days: the rows and bytes so far, and how fast they came.
func (p *Progress) Days(rows, bytes int64) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf(" days, %d rows, %.0f rows/s, %.1f MB", rows, float64(rows)/time.Since(p.began).Seconds(), float64(bytes)/1e6)
}

// End takes the bar away. What is shown afterwards begins here.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began = time.Now()
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar = nil
	}
}

// Write writes a line of the log without the bar in it.
func (p *Progress) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	return p.out.Write(line)
}
