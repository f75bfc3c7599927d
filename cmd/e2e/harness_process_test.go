package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Log messages that tests wait for.
const (
	isOwner   = `"msg":"owner"`
	isStandby = "standby: another instance owns the service"
	exported  = `"msg":"export ended"`
)

// process is a running program.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	mu    sync.Mutex    // guards lines
	lines bytes.Buffer  // its log
	news  chan struct{} // receives when a line was added
	done  chan struct{} // closed when it has ended
}

// start starts the program. It is killed at the end of the test.
func (b *testbed) start(args ...string) *process {
	b.t.Helper()
	return b.startWith(nil, args...)
}

// startWith starts the program with additional variables.
func (b *testbed) startWith(environ []string, args ...string) *process {
	b.t.Helper()
	p := &process{t: b.t, cmd: exec.Command(b.program, args...), news: make(chan struct{}, 1), done: make(chan struct{})}
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
			p.lines.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
			select {
			case p.news <- struct{}{}:
			default:
			}
		}
		_ = p.cmd.Wait() // the result is in ProcessState
	}()
	b.t.Cleanup(p.kill)
	return p
}

// startToCrash starts the program with a fault point: it kills itself, as with kill -9, when
// it reaches a step for the n-th time.
func (b *testbed) startToCrash(step string, n int, args ...string) *process {
	b.t.Helper()
	return b.startWith([]string{"FAULT_STEP=" + step, fmt.Sprintf("FAULT_COUNT=%d", n)}, args...)
}

// crash runs the program with a fault point until it ends.
func (b *testbed) crash(step string, n int, args ...string) {
	b.t.Helper()
	b.startToCrash(step, n, args...).wait(time.Minute)
}

// kill ends the process with kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.done
	if strings.Contains(p.log(), canary) {
		p.t.Errorf("the token is in the log:\n%s", p.log())
	}
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// wait waits until the process has ended, and returns its exit code.
func (p *process) wait(limit time.Duration) int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(limit):
		p.t.Fatalf("timeout while waiting for the program's end:\n%s", p.log())
	}
	return p.cmd.ProcessState.ExitCode()
}

// expectExit waits for the end of the process and checks its exit code.
func (p *process) expectExit(code int) {
	p.t.Helper()
	if got := p.wait(time.Minute); got != code {
		p.t.Errorf("exit %d, want %d:\n%s", got, code, p.log())
	}
}

// expectAlive fails the test if the process has ended.
func (p *process) expectAlive() {
	p.t.Helper()
	select {
	case <-p.done:
		p.t.Fatalf("the program ended:\n%s", p.log())
	default:
	}
}

func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lines.String()
}

// count returns how often a text occurs in the log.
func (p *process) count(text string) int { return strings.Count(p.log(), text) }

// await waits until the log contains a text.
func (p *process) await(text string) {
	p.t.Helper()
	p.awaitMore(text, 0)
}

// awaitEither waits until the log contains one of two texts.
func (p *process) awaitEither(one, other string) {
	p.t.Helper()
	p.awaitLog(fmt.Sprintf("%q or %q", one, other), func() bool { return p.count(one)+p.count(other) > 0 })
}

// awaitMore waits until the log contains a text more than n times.
func (p *process) awaitMore(text string, n int) {
	p.t.Helper()
	p.awaitLog(strconv.Quote(text), func() bool { return p.count(text) > n })
}

// awaitLog waits until has returns true, and checks again after each line of the log.
func (p *process) awaitLog(what string, has func() bool) {
	p.t.Helper()
	deadline := time.After(time.Minute)
	for !has() {
		select {
		case <-p.news:
		case <-p.done:
			if !has() {
				p.t.Fatalf("the program ended without logging %s:\n%s", what, p.log())
			}
		case <-deadline:
			p.t.Fatalf("timeout while waiting for %s in the log:\n%s", what, p.log())
		}
	}
}

// peakMemory sends the maximum resident memory of the process, in bytes, when it has ended.
// The maximum that wait4 reports includes the memory of the test, which forked the process.
func (p *process) peakMemory() <-chan int64 {
	peak := make(chan int64, 1)
	go func() {
		var most int64
		look := time.NewTicker(20 * time.Millisecond)
		defer look.Stop()
		for {
			select {
			case <-p.done:
				peak <- most
				return
			case <-look.C:
			}
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
			if err != nil {
				continue // it has just ended
			}
			for line := range strings.Lines(string(status)) {
				var kib int64
				if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
					most = max(most, kib<<10)
				}
			}
		}
	}()
	return peak
}
