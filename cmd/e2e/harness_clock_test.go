package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clockedProgram builds the program with a wall clock that the variable CLOCK shifts:
// "3s=-960h,6s=0s" is correct for three seconds after the start, then 40 days behind for
// three seconds, then correct again. The monotonic clock does not change, as when an
// administrator sets the time of a machine.
var clockedProgram = sync.OnceValues(func() (program string, err error) {
	dir := filepath.Join(filepath.Dir(binary), "clock")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	source := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	const reading = "\tsec, nsec, mono := runtimeNow()\n\tif mono == 0 {\n\t\treturn Time{uint64(nsec), sec + unixToInternal, Local}\n"
	if n := strings.Count(string(text), reading); n != 1 {
		return "", fmt.Errorf("time.Now of %s has an unexpected form: %d matches, want one", runtime.Version(), n)
	}
	changed := strings.Replace(string(text), reading, strings.Replace(reading, "runtimeNow()\n", "runtimeNow()\n\tsec += ahead(mono)\n", 1), 1) + `
type jump struct{ at, ahead int64 }

var jumps = func() (list []jump) {
	text, _ := syscall.Getenv("CLOCK")
	for text != "" {
		one := text
		text = ""
		for i := range one {
			if one[i] == ',' {
				one, text = one[:i], one[i+1:]
				break
			}
		}
		for i := range one {
			if one[i] == '=' {
				at, _ := ParseDuration(one[:i])
				ahead, _ := ParseDuration(one[i+1:])
				list = append(list, jump{int64(at), int64(ahead / Second)})
			}
		}
	}
	return list
}()

func ahead(mono int64) (seconds int64) {
	for _, j := range jumps {
		if mono-startNano >= j.at {
			seconds = j.ahead
		}
	}
	return seconds
}
`
	changed = strings.Replace(changed, "import (\n", "import (\n\t\"syscall\"\n", 1)
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{source: filepath.Join(dir, "time.go")}})
	if err != nil {
		return "", err
	}
	for name, content := range map[string][]byte{"time.go": []byte(changed), "overlay.json": overlay} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return "", err
		}
	}
	program = filepath.Join(dir, "dfinery-kafka")
	if out, err := exec.Command("go", "build", "-tags", "faults", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, "../dfinery-kafka").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return program, nil
})

// programWithClock returns the path of that program. Because all packages are compiled, its
// tests run only with a real Kafka.
func programWithClock(t *testing.T) string {
	t.Helper()
	if os.Getenv("KAFKA_TEST_BROKERS") == "" {
		t.Skip("KAFKA_TEST_BROKERS is not set: without a real Kafka the program is not compiled again")
	}
	program, err := clockedProgram()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// clockOffset is a clock for the API and the program that differs from the machine's by a
// number of seconds. It is only set while no program runs.
type clockOffset struct{ seconds atomic.Int64 }

func (c *clockOffset) now() time.Time {
	return time.Now().Add(time.Duration(c.seconds.Load()) * time.Second)
}

func (c *clockOffset) environ() []string {
	return []string{fmt.Sprintf("CLOCK=0s=%ds", c.seconds.Load())}
}

// sleepUntil waits until a time of the clock.
func (b *testbed) sleepUntil(c *clockOffset, t time.Time) { b.sleep(t.Sub(c.now())) }
