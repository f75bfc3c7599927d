package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"dfinery-kafka/schema"
)

// start runs the simulator with flags and returns the variables that it prints.
func start(t *testing.T, args ...string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), w, io.Discard) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	vars := map[string]string{}
	lines := bufio.NewScanner(r)
	for len(vars) < 3 && lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "export "); ok {
			name, value, _ := strings.Cut(text, "=")
			vars[name] = value
		}
	}
	return vars
}

// export makes a call for the day that is back days before today.
func export(t *testing.T, vars map[string]string, back int) (int, string) {
	t.Helper()
	day := (schema.DayOf(time.Now(), zone) - schema.Day(back)).String()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, vars["DFINERY_BASE_URL"]+"/api/v1/export/event?service_id="+vars["DFINERY_SERVICE_ID"],
		strings.NewReader(`{"events_condition_type":"all","from_date":"`+day+`","to_date":"`+day+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+vars["DFINERY_EXPORT_TOKEN"])
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// TestSimulator: a call with the variables that the simulator prints returns the number of
// rows in its flags.
func TestSimulator(t *testing.T) {
	t.Parallel()
	vars := start(t, "-service", "77", "-token", "t0k", "-rows", "100", "-columns", "8", "-days", "3", "-bad-rows=false", "-late", "0")
	for back, want := range map[int]int{1: 100, 2: 100, 3: 0} {
		status, body := export(t, vars, back)
		rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		if status != 200 || err != nil || len(rows) != 1+want || len(rows[0]) != 8 {
			t.Errorf("%d days ago: status %d, %v, %d lines, want %d rows of 8 columns", back, status, err, len(rows), want)
		}
	}
}

// TestSimulator_Faults: faults occur as often as the flags say.
func TestSimulator_Faults(t *testing.T) {
	t.Parallel()
	vars := start(t, "-fail-every", "2", "-rows", "20", "-quota", "4", "-cut-every", "0")
	var got []int
	for range 5 {
		status, _ := export(t, vars, 1)
		got = append(got, status)
	}
	want := []int{200, 500, 200, 500, 429}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("statuses %v, want %v", got, want)
		}
	}
}

func TestRun_WrongFlags(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]error{
		"-days 0": errUsage, "-days 32": errUsage, "-columns 5": errUsage, "-quota 0": errUsage, "-late 2": errUsage, "-nonsense": errUsage, "x": errUsage, "-h": flag.ErrHelp,
	} {
		var messages bytes.Buffer
		if err := run(t.Context(), strings.Fields(args), io.Discard, &messages); !errors.Is(err, want) || messages.Len() == 0 {
			t.Errorf("%s: %v and %q, want %v and an explanation", args, err, messages.String(), want)
		}
	}
}
