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
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// jumping is the program with a wall clock that jumps as CLOCK says: "3s=-960h,6s=0s" is right for three seconds after the start, then
// 40 days behind for three more. The monotonic clock is untouched, as when someone sets a machine's time.
var jumping = sync.OnceValues(func() (program string, err error) {
	dir := filepath.Join(filepath.Dir(binary), "jumping")
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
		return "", fmt.Errorf("time.Now of %s has another form: it is there %d times", runtime.Version(), n)
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
	if out, err := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, "../dfinery-kafka").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return program, nil
})

// withClock is that program, for tests that need a Kafka of their own: it takes a build of all packages.
func withClock(t *testing.T) string {
	t.Helper()
	if os.Getenv("KAFKA_TEST_BROKERS") == "" {
		t.Skip("builds all packages with a clock of their own: KAFKA_TEST_BROKERS is not set")
	}
	program, err := jumping()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// TestClockJumps runs with a clock that is wrong or jumps, ends by kill -9, and goes on with the right one: every row of the days stands
// once, and no day counts as lost.
func TestClockJumps(t *testing.T) {
	program := withClock(t)
	for name, clock := range map[string]string{
		"a day ahead":              "0s=24h",
		"three hours behind":       "0s=-3h",
		"40 days ahead":            "0s=960h",
		"a year behind":            "0s=-8760h",
		"ahead and right again":    "2s=960h,4s=0s",
		"behind and right again":   "2s=-960h,4s=0s",
		"to and fro by an hour":    "1s=1h,2s=-1h,3s=1h,4s=-1h,5s=0s",
		"90 days ahead, then back": "2s=2160h,4s=-2160h",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, &exporttest.Server{
				Limits: exporttest.Limits{PerHour: -1, AtOnce: -1}, Data: exporttest.Data{Seed: 71, RowsPerDay: 3000, Late: 0.2, LateFrom: 2},
			})
			b.unbounded()
			b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"] = "200ms", "200ms"
			b.environ["FENCE_RENEWAL"] = "1s"
			p := b.start(program, []string{"CLOCK=" + clock}, "run")
			p.await(`"msg":"owner"`)
			time.Sleep(6 * time.Second)
			p.kill()
			b.settle()
			out, _ := b.run("status", "--json")
			var got struct {
				Streams []struct{ Days []struct{ Day, State string } }
			}
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatal(err)
			}
			states := map[string]string{}
			for _, d := range got.Streams[0].Days {
				states[d.Day] = d.State
			}
			today := schema.DayOf(time.Now(), seoul)
			for day := today - 2; day <= today; day++ {
				if state := states[day.String()]; state != "open" {
					t.Errorf("%v is %q, it can still change", day, state)
				}
			}
			if t.Failed() {
				fmt.Println(p.text())
			}
		})
	}
}
