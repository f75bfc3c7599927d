package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// usage is the resource usage of a process.
type usage struct {
	CPU  time.Duration // user and system time of the whole process (wait4)
	Wall time.Duration
	Peak int64 // maximum resident bytes
}

// measure runs a command to its end. The error of a failed command has the end of its
// output. On Linux a process's peak includes the memory of its parent at the fork: so
// this process must stay small, and separate processes do what needs memory.
func measure(cmd *exec.Cmd) (usage, error) {
	var said bytes.Buffer
	cmd.Stderr = &said
	begin := time.Now()
	if err := cmd.Run(); err != nil {
		text := said.Bytes()
		return usage{}, fmt.Errorf("%s: %w\n%s", cmd, err, text[max(0, len(text)-4000):])
	}
	took := time.Since(begin)
	rusage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return usage{}, errors.New("this system does not report the usage of processes")
	}
	return usage{CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), Wall: took, Peak: rusage.Maxrss * rusageUnit}, nil
}

const rusageUnit = 1024 // ru_maxrss counts KiB on Linux

// helper is a process that prints its address and ends when its input ends.
type helper struct {
	address string
	input   io.Closer
	cmd     *exec.Cmd
}

// part returns a command that runs a subcommand of this program.
func part(ctx context.Context, args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return exec.CommandContext(ctx, self, args...), nil
}

func startHelper(ctx context.Context, args ...string) (*helper, error) {
	cmd, err := part(ctx, args...)
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	h := &helper{address: strings.TrimSpace(line), input: input, cmd: cmd}
	if err != nil {
		h.stop()
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	return h, nil
}

// stop waits for the process's end.
func (h *helper) stop() {
	h.input.Close()
	_ = h.cmd.Wait() // its result does not matter
}
