package e2e

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// canary is the export token of every test: no output may contain it.
const canary = "c4n4ry-t0k3n"

var binary string // built once by TestMain

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "dfinery-kafka")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "dfinery-kafka")
	build := exec.Command("go", "build", "-ldflags", "-X main.version=v1.2.3", "-o", binary, "../dfinery-kafka")
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, output)
		os.Exit(1)
	}
	// The tests wait for processes more than they compute: run more of them at once than there are cores.
	if err := flag.Set("test.parallel", strconv.Itoa(max(8, runtime.GOMAXPROCS(0)))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

type result struct {
	Code   int
	Stderr string
}

// run runs the program to its end with the given environment only.
func run(t *testing.T, environ []string, args ...string) (string, result) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	var stdout, stderr bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = append([]string{"PATH=/bin"}, environ...), &stdout, &stderr
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(exit, err)
	}
	if all := stdout.String() + stderr.String(); strings.Contains(all, canary) {
		t.Errorf("the output contains the token:\n%s", all)
	}
	return stdout.String(), result{cmd.ProcessState.ExitCode(), stderr.String()}
}
