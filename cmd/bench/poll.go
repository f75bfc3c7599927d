package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// pollsPerRun is the number of polls per run, whose mean is reported: the system
// measures times in ticks of 10 ms.
const pollsPerRun = 5

// measurePolls measures the cost of one poll of a day whose rows are all known. The
// first poll, which loads the fingerprints, only counts for the peak memory.
func measurePolls(cmd *exec.Cmd, rows int) (u usage, err error) {
	log, err := cmd.StderrPipe()
	if err != nil {
		return u, err
	}
	if err := cmd.Start(); err != nil {
		return u, err
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		go func() { _, _ = io.Copy(io.Discard, log) }() // drain its output, so that it can end; Wait closes the pipe
		if ended := cmd.Wait(); err == nil {
			err = ended
		}
		if rusage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			u.Peak = rusage.Maxrss * rusageUnit
		}
	}()
	lines := bufio.NewScanner(log)
	var begin time.Time
	var before time.Duration
	for polls := 0; polls <= pollsPerRun; {
		if !lines.Scan() {
			return u, fmt.Errorf("%s ended after %d polls: %w", cmd, polls, lines.Err())
		}
		known, ended, err := knownRows(lines.Bytes())
		switch {
		case err != nil:
			return u, err
		case !ended:
			continue
		case known != rows:
			return u, fmt.Errorf("a poll knew %d rows, want %d: %s", known, rows, lines.Bytes())
		}
		if polls++; polls == 1 {
			begin = time.Now()
			if before, err = processorTime(cmd.Process.Pid); err != nil {
				return u, err
			}
		}
	}
	after, err := processorTime(cmd.Process.Pid)
	u.CPU, u.Wall = (after-before)/pollsPerRun, time.Since(begin)/pollsPerRun
	return u, err
}

// knownRows parses a line of the log: whether it reports the end of an export, and how
// many of its rows were published before.
func knownRows(line []byte) (known int, ended bool, err error) {
	if !bytes.Contains(line, []byte(`"export ended"`)) {
		return 0, false, nil
	}
	var export struct{ Known int }
	err = json.Unmarshal(line, &export)
	return export.Known, true, err
}

// processorTime returns the CPU time of a running process, in user and system mode
// (proc_pid_stat(5)).
func processorTime(pid int) (time.Duration, error) {
	path := fmt.Sprintf("/proc/%d/stat", pid)
	stat, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	// The second field is the program's name in parentheses, which may contain any
	// characters.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const user, system, tick = 11, 12, 10 * time.Millisecond
	var ticks int64
	for _, n := range []int{user, system} {
		if n >= len(fields) {
			return 0, fmt.Errorf("%s has %d fields", path, len(fields))
		}
		v, err := strconv.ParseInt(fields[n], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
		ticks += v
	}
	return time.Duration(ticks) * tick, nil
}
