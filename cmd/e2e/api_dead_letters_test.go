package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/cmd/golden"
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestAPI_DeadLetters causes each failure at both endpoints. It compares the dead letters with
// golden files, and checks that all good rows are published.
func TestAPI_DeadLetters(t *testing.T) {
	t.Parallel()
	for name, test := range letterCases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := test.server
			if api == nil {
				api = new(exporttest.Server)
			}
			api.Limits.PerHour = -1
			if api.Data.RowsOn == nil {
				api.Data.RowsPerDay = 20
			}
			api.Data.Seed, api.Data.Columns = 71, 16
			if api.Data.Users == 0 {
				api.Data.Users = 20
			}
			api.Faults = first(t.Context(), test.fault)
			b := newTestbed(t, api)
			b.unlimited()
			b.environ["STREAMS"], b.environ["STREAM_USERS_EXPORT"], b.environ["STREAM_USERS_TOPIC"] = "events,users", "userprofile", b.prefix+"users"
			b.environ["STREAM_EVENTS_START"] = "0"
			for name, value := range test.environ {
				if value == "https" {
					value = strings.Replace(b.environ["DFINERY_BASE_URL"], "http:", "https:", 1)
					b.environ["BREAKER_FAILURES"] = "1"
				}
				b.environ[name] = value
			}
			_, got := b.run("run", "--once")
			if got.Code != test.exit {
				t.Errorf("exit %d, want %d:\n%s", got.Code, test.exit, got.Stderr)
			}
			b.checkDeadLetters(filepath.Join("testdata", "letters", name+".json"))
			if t.Failed() {
				t.Logf("%s", got.Stderr)
			}
			if test.exit == 0 && api.Data.RowsOn == nil {
				compareRows(t, append(b.served(schema.Event), test.rows...), b.published("events"))
				compareRows(t, append(b.served(schema.UserProfile), test.rows...), b.published("users"))
			}
		})
	}
}

// checkDeadLetters compares the dead letters, with their keys and headers, with a file.
func (b *testbed) checkDeadLetters(file string) {
	b.t.Helper()
	messages := b.consume("dead-letters", kgo.ReadUncommitted())
	slices.SortFunc(messages, func(x, y message) int { return strings.Compare(x.Export, y.Export) })
	var got bytes.Buffer
	for _, m := range messages {
		headers, err := json.Marshal(m.Headers)
		if err != nil {
			b.t.Fatal(err)
		}
		text := fmt.Sprintf(`{"key":%q,"headers":%s,"value":%s}`, m.Key, headers, m.Value)
		if err := json.Indent(&got, []byte(normal(text)), "", "  "); err != nil {
			b.t.Fatalf("%v: %s", err, text)
		}
		got.WriteByte('\n')
	}
	golden.Compare(b.t, file, got.String())
}

// changes matches the parts that differ between runs. The length of a body with rows differs
// because cells depend on the day.
var changes = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`), "TIME"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d`), "DAY"},
	{regexp.MustCompile(`(127\.0\.0\.1):\d+`), "$1:PORT"},
	{regexp.MustCompile(`\bt[0-9a-f]{8}\.`), ""}, // prefix of the topics
	{regexp.MustCompile(`"duration_ms":\d+`), `"duration_ms":0`},
	{regexp.MustCompile(`"date":"[^"]+"`), `"date":"DATE"`},
	{regexp.MustCompile(`-reset":"\d+"`), `-reset":"RESET"`},
	{regexp.MustCompile(`"id":"[^"]{22}"`), `"id":"ID"`},
	{regexp.MustCompile(`"bytes":\d+,"rows":([1-9])`), `"bytes":0,"rows":$1`},
	{regexp.MustCompile(`"content-length":"\d{3,}","content-type":"text/csv`), `"content-length":"LENGTH","content-type":"text/csv`},
	{regexp.MustCompile(`"bytes":\d{3,},"rows":0`), `"bytes":0,"rows":0`},
	{regexp.MustCompile(`"offset":\d+`), `"offset":0`},
	{regexp.MustCompile(`x{100,}`), "x…"},
}

func normal(letter string) string {
	for _, c := range changes {
		letter = c.what.ReplaceAllString(letter, c.with)
	}
	return letter
}
