package main_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	demo "dfinery-kafka/cmd/demo"
)

// restoreEnvironment undoes at the test's end what the demo does to the environment of the process.
func restoreEnvironment(t *testing.T) {
	t.Helper()
	environ := os.Environ()
	t.Cleanup(func() {
		os.Clearenv()
		for _, variable := range environ {
			name, value, _ := strings.Cut(variable, "=")
			if err := os.Setenv(name, value); err != nil {
				t.Error(err)
			}
		}
	})
}

// What differs from run to run.
var (
	dates       = regexp.MustCompile(`\d{4}-\d{2}-\d{2}`)
	calls       = regexp.MustCompile(`(open|settled) +\d+`)
	counts      = regexp.MustCompile(`\d+ export calls|[0-9,]+ cells$|[0-9.]+ s$`)
	lineNumbers = regexp.MustCompile(`line [0-9]+`) // quoted cells with line ends depend on the day
)

func TestDemo(t *testing.T) {
	// A shell that is set up for a real connector, and not even rightly.
	t.Setenv("KAFKA_BROKERS", "127.0.0.1:1")
	t.Setenv("DFINERY_EXPORT_TOKN", "x")
	t.Setenv("STREAM_EVENTS_TOPIC", "elsewhere")
	restoreEnvironment(t)
	var out bytes.Buffer
	if err := (demo.Demo{Days: 5, Rows: 300, Out: &out}).Run(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	text := out.String()
	if strings.Contains(text, "demo-export-token") || strings.Contains(text, "\x1b") {
		t.Errorf("the token or colours are shown:\n%s", text)
	}
	// Of each day's table the last one; of all else each line.
	tables := strings.Split(text, "day         state     exports     rows  published  bad\n")
	if len(tables) != 3 {
		t.Fatalf("%d tables of days, want 2:\n%s", len(tables)-1, text)
	}
	wantLines(t, tables[2], `
   D  open   N      300        300    0
   D  open   N      306        306    0
   D  open   N      306        306    1
   D  settled   N      300        300    0
   D  settled   N      300        300    0

6  Everything that the API holds against everything in Kafka, cell by cell
   1,512 rows of 5 days in the API, 1,512 records in dfinery.events, N
   equal: nothing missing, nothing twice, nothing changed

7  Summary
   N, 2 of them failed; 1,512 rows published, each once; 3 dead letters; N
`)
	for _, line := range []string{
		"D  export 1  cut_body after 150 rows; 150 were published",
		"D  export 2  300 rows: 150 published, 150 known already, 0 bad",
		"D  export 1  query_error after 0 rows; 0 were published",
		"D  export 2  306 rows: 6 published, 300 known already, 1 bad",
		"D  export 3  306 rows: 6 published, 300 known already, 0 bad",
		"D  row     field_count: line L: 8 fields, the header has 16",
		`"message": "query_error",`,
		"export  1234/events/D/2",
	} {
		if !strings.Contains(lineNumbers.ReplaceAllString(dates.ReplaceAllString(text, "D"), "line L"), line) {
			t.Errorf("not printed: %s", line)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func wantLines(t *testing.T, got, want string) {
	t.Helper()
	var lines []string
	for line := range strings.Lines("\n" + got) {
		line = dates.ReplaceAllString(strings.TrimSuffix(line, "\n"), "D")
		line = calls.ReplaceAllString(line, "$1   N")
		lines = append(lines, counts.ReplaceAllString(line, "N"))
	}
	if diff := cmp.Diff(strings.Split(strings.TrimSuffix(want, "\n"), "\n"), lines); diff != "" {
		t.Errorf("end of the output (-want +got):\n%s", diff)
	}
}

// hook is told, once, what was printed when a text appears.
type hook struct {
	bytes.Buffer
	text string
	do   func(printed string)
}

func (h *hook) Write(b []byte) (int, error) {
	n, err := h.Buffer.Write(b)
	if h.do != nil && bytes.Contains(b, []byte(h.text)) {
		h.do(h.String())
		h.do = nil
	}
	return n, err
}

// repeat publishes the first record of a topic once more.
func repeat(t *testing.T, broker, topic string) {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Error(err)
		return
	}
	defer client.Close()
	records := client.PollFetches(t.Context()).Records()
	if len(records) == 0 {
		t.Error("no record to repeat")
		return
	}
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Key: records[0].Key, Value: records[0].Value, Headers: records[0].Headers}).FirstErr(); err != nil {
		t.Error(err)
	}
}

func TestRepeatedRecordFails(t *testing.T) {
	restoreEnvironment(t)
	out := &hook{text: "Late rows", do: func(printed string) {
		repeat(t, regexp.MustCompile(`Kafka +(\S+)  embedded`).FindStringSubmatch(printed)[1], "dfinery.events")
	}}
	err := demo.Demo{Days: 4, Rows: 100, Out: out}.Run(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "API and Kafka differ: 2 differences:\n  1 too many: ") || !strings.HasSuffix(err.Error(), ": its id stands there twice") {
		t.Errorf("Run() = %v, want a record that stands there twice", err)
	}
}

func TestKeepInColour(t *testing.T) {
	restoreEnvironment(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &hook{text: "export ADMIN_ADDR=", do: func(string) { cancel() }}
	if err := (demo.Demo{Days: 4, Rows: 100, Keep: true, Out: out, Colour: true}).Run(ctx); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"\x1b[32m   equal: nothing missing, nothing twice, nothing changed\x1b[0m\n",
		"     export DFINERY_EXPORT_TOKEN=demo-export-token\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("not printed: %q\n%s", want, out)
		}
	}
}

func TestInterrupt(t *testing.T) {
	restoreEnvironment(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &hook{text: "What is there", do: func(string) { cancel() }}
	if err := (demo.Demo{Days: 4, Rows: 100, Out: out}).Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Run() = %v, want that it was interrupted", err)
	}
}
