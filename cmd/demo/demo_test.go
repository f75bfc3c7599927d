package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	demo "dfinery-kafka/cmd/demo"
)

// alone is set for a process of the test binary that runs only one test: the demo changes the
// environment of its process, and several demos in parallel do not take longer than one.
const alone = "DFINERY_DEMO_ALONE"

// inOwnProcess runs the test in another process, in parallel with other tests. It returns true
// in the process that waits for the result.
func inOwnProcess(t *testing.T) bool {
	t.Helper()
	if os.Getenv(alone) != "" {
		return false
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), alone+"=1")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	return true
}

// Parts of the output that differ between runs.
var (
	dates       = regexp.MustCompile(`\d{4}-\d{2}-\d{2}`)
	calls       = regexp.MustCompile(`(open|settled) +\d+`)
	counts      = regexp.MustCompile(`\d+ export calls|\d+ of them|\d+ dead letters|[0-9,]+ cells$|[0-9.]+ s$`)
	lineNumbers = regexp.MustCompile(`line [0-9]+`) // the number of quoted line ends depends on the day
)

// TestMain also runs the demo's second process.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == demo.SecondProcess {
		if err := demo.RunSecond(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// second returns the command that runs a connector in another process.
func second(t *testing.T) []string {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return []string{program, demo.SecondProcess}
}

// TestDemo runs the demo to its end, keeps it open, and checks its output, the status page and the
// environment file.
func TestDemo(t *testing.T) {
	if inOwnProcess(t) {
		return
	}
	// The environment of a real connector, with mistakes.
	t.Setenv("KAFKA_BROKERS", "127.0.0.1:1")
	t.Setenv("DFINERY_EXPORT_TOKN", "x")
	t.Setenv("STREAM_EVENTS_TOPIC", "elsewhere")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &hook{text: "kcat -C -b", do: func(printed string) {
		defer cancel()
		checkPage(t, submatch(t, printed, `Open the status page in a browser: (\S+)`))
		checkEnvironment(t, submatch(t, printed, `source (\S+)`))
	}}
	if err := (demo.Demo{Days: 5, Rows: 300, Keep: true, Admin: "127.0.0.1:0", Out: out, Second: second(t)}).Run(ctx); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	text := out.String()
	if strings.Contains(text, "demo-export-token") || strings.Contains(text, "\x1b") {
		t.Errorf("the token or colours are shown:\n%s", text)
	}
	_, end, _ := strings.Cut(text, "\n8  ")
	end, _, _ = strings.Cut("8  "+end, "\n11  ")
	expectLines(t, end, `
8  A dead letter is replayed
   The row of D was larger than the 8 KiB that the topic took. While the connector was down, an administrator has
   raised max.message.bytes. `+"`"+`dfinery-kafka dlq replay --code too_large`+"`"+` publishes the row from its dead letter:
   1 row published, 0 were published already, 0 are still bad, 0 days exported again

9  Everything that the API holds against everything in Kafka, cell by cell
   1,513 rows of 5 days in the API, 1,513 records in dfinery.events, N
   equal: nothing missing, nothing twice, nothing changed

10  Summary
   N, N failed; 1,513 rows published, each once; N; N
`)
	for _, line := range []string{
		"D  export 1  cut_body after 150 rows; 150 were published",
		"D  export 2  300 rows: 150 published, 150 known already, 1 bad",
		"D  export 1  query_error after 0 rows; 0 were published",
		"D  row     field_count: line L: 8 fields, the header has 16",
		"D  row     too_large: line L: the record takes ",
		`"message": "query_error",`,
		"export  1234/events/D/2",
		"(3 × query_error in a row). Meanwhile the database was repaired.",
		"No call was made while it was open. The probe at ",
		"The token was refused: all calls wait.",
		"The new token is in the file: exports go on, without a restart.",
		"is gone. 9 late rows were in dfinery.events, and it had not finished.",
		"306 rows: 3 published, 303 known already, 0 bad",
		"D  settled   N      300        300    1", // the line before the replay
	} {
		if !strings.Contains(calls.ReplaceAllString(lineNumbers.ReplaceAllString(dates.ReplaceAllString(text, "D"), "line L"), "$1   N"), line) {
			t.Errorf("not printed: %s", line)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func submatch(t *testing.T, text, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		t.Errorf("not printed: %s", pattern)
		return ""
	}
	return found[1]
}

// checkPage checks that the page shows the stream.
func checkPage(t *testing.T, url string) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Error(err)
		return
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || !bytes.Contains(page, []byte("dfinery.events")) {
		t.Errorf("the status page: %s, %v, %s", answer.Status, err, page)
	}
}

// checkEnvironment checks that the file has a correct configuration.
func checkEnvironment(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
		return
	}
	for _, want := range []string{"export DFINERY_EXPORT_TOKEN_FILE=", "export KAFKA_BROKERS=127.0.0.1:", "export ADMIN_ADDR=127.0.0.1:0\n"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("%s lacks %q:\n%s", file, want, text)
		}
	}
}

func expectLines(t *testing.T, got, want string) {
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

// hook is a writer that calls a function once, when a text is written.
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

// repeat writes the first record of a topic once more.
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
	if inOwnProcess(t) {
		return
	}
	out := &hook{text: "A dead letter is replayed", do: func(printed string) {
		repeat(t, regexp.MustCompile(`Kafka +(\S+)  embedded`).FindStringSubmatch(printed)[1], "dfinery.events")
	}}
	err := demo.Demo{Days: 4, Rows: 100, Out: out, Colour: true, Second: second(t)}.Run(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "API and Kafka differ: 2 differences:\n  1 too many: ") || !strings.HasSuffix(err.Error(), ": its id occurs twice") {
		t.Errorf("Run() = %v, want a record that occurs twice", err)
	}
	if want := "\x1b[31m   The token was refused: all calls wait.\x1b[0m\n"; !strings.Contains(out.String(), want) {
		t.Errorf("not printed: %q\n%s", want, out)
	}
}

func TestInterrupt(t *testing.T) {
	if inOwnProcess(t) {
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &hook{text: "What is there", do: func(string) { cancel() }}
	if err := (demo.Demo{Days: 4, Rows: 100, Out: out, Second: second(t)}).Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Run() = %v, want that it was interrupted", err)
	}
}
