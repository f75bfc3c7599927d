//go:build faults

package main

import (
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
)

// faultPoint kills the process, like kill -9, when the step named by FAULT_STEP is reached for
// the FAULT_COUNT-th time (default 1).
func faultPoint() func(string) {
	step := os.Getenv("FAULT_STEP")
	if step == "" {
		return nil
	}
	n, err := strconv.Atoi(os.Getenv("FAULT_COUNT"))
	if err != nil {
		n = 1
	}
	var left atomic.Int64
	left.Store(int64(n))
	return func(name string) {
		if name == step && left.Add(-1) == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // wait for the signal
		}
	}
}
