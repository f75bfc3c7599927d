package e2e

import (
	"bufio"
	"bytes"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// process is the program running.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	mu   sync.Mutex
	log  bytes.Buffer
	news chan struct{} // has something when a line was added
	done chan struct{} // closed when it has ended
}

// start starts a binary and ends it, at the latest, with the test.
func (b *bench) start(program string, environ []string, args ...string) *process {
	b.t.Helper()
	p := &process{t: b.t, cmd: exec.Command(program, args...), news: make(chan struct{}, 1), done: make(chan struct{})}
	p.cmd.Env = append(b.env(), environ...)
	out, err := p.cmd.StderrPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.mu.Lock()
			p.log.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
			select {
			case p.news <- struct{}{}:
			default:
			}
		}
		_ = p.cmd.Wait() // how it ended is in ProcessState
	}()
	b.t.Cleanup(p.kill)
	return p
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.done
	if strings.Contains(p.text(), canary) {
		p.t.Errorf("the token is in the log:\n%s", p.text())
	}
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// await waits until the log holds text.
func (p *process) await(text string) {
	p.t.Helper()
	p.awaitMore(text, 0)
}

// awaitMore waits until the log holds text more than n times.
func (p *process) awaitMore(text string, n int) {
	p.t.Helper()
	deadline := time.After(time.Minute)
	for strings.Count(p.text(), text) <= n {
		select {
		case <-p.news:
		case <-p.done:
			if strings.Count(p.text(), text) <= n {
				p.t.Fatalf("the program ended without saying %q:\n%s", text, p.text())
			}
		case <-deadline:
			p.t.Fatalf("the program does not say %q:\n%s", text, p.text())
		}
	}
}
