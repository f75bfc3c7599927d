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

// usage is what one process took.
type usage struct {
	CPU  time.Duration // user and system time of the whole process (wait4)
	Wall time.Duration
	Peak int64 // bytes resident at most
}

// measure runs a command to its end. The error of one that failed has the end of what it said.
//
// Linux counts into a process's peak what its parent held when it forked: so this one must stay small, and leaves all that
// needs memory to processes of their own.
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
		return usage{}, errors.New("this system does not tell what a process used")
	}
	return usage{CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), Wall: took, Peak: rusage.Maxrss * rusageUnit}, nil
}

const rusageUnit = 1024 // ru_maxrss counts KiB on Linux

// helper is a process that prints one line, its address, and ends with its input.
type helper struct {
	address string
	input   io.Closer
	cmd     *exec.Cmd
}

// part is this program as one of its subcommands.
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
	_ = h.cmd.Wait() // it has served its purpose, however it ends
}
