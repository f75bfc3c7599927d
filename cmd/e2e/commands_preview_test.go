package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// previewed has the members of "preview --json" that the tests read.
type previewed struct {
	Topic       string            `json:"topic"`
	TopicExists bool              `json:"topic_exists"`
	Subject     string            `json:"subject"`
	Schema      string            `json:"schema"`
	SchemaID    int               `json:"schema_id"`
	Records     []previewedRecord `json:"records"`
	Letters     []previewedRecord `json:"dead_letters"`
	Sampled     int               `json:"sampled_rows"`
	Whole       bool              `json:"whole"`
	Columns     []struct {
		Name, Type       string
		Declared         bool
		Filled, Rejected int
		Candidates       []struct{ Type string }
	} `json:"columns"`
	Error string `json:"error"`
}

type previewedRecord struct {
	Topic     string
	Partition int32
	Key       string
	Headers   []struct{ Key, Value string }
	Value     *string
	Base64    []byte          `json:"value_base64"`
	Fields    json.RawMessage `json:"fields"`
}

func (r *previewedRecord) message() message {
	m := message{Partition: r.Partition, Key: r.Key, Value: string(r.Base64), Headers: map[string]string{}}
	if r.Value != nil {
		m.Value = *r.Value
	}
	for _, h := range r.Headers {
		m.Headers[h.Key] = h.Value
	}
	return m
}

// preview runs "preview --json" and checks its exit code.
func (b *testbed) preview(code int, args ...string) previewed {
	b.t.Helper()
	out, got := b.run(append([]string{"preview", "--json"}, args...)...)
	if got.Code != code {
		b.t.Fatalf("preview %v: exit %d, want %d:\n%s%s", args, got.Code, code, out, got.Stderr)
	}
	var p previewed
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		b.t.Fatalf("%v: %s", err, out)
	}
	return p
}

// comparable returns sorted texts of records, without the number of the export, and without
// the id of the schema if it is not known.
func comparable(records []message, binary, idKnown bool) []string {
	var list []string
	for _, m := range records {
		value := m.Value
		if binary && !idKnown {
			value = value[:1] + "????" + value[5:]
		}
		if binary {
			value = base64.StdEncoding.EncodeToString([]byte(value))
		}
		headers := map[string]string{}
		for name, text := range m.Headers {
			headers[name] = text
		}
		headers["export"] = headers["export"][:strings.LastIndex(headers["export"], "/")]
		text, _ := json.Marshal([]any{m.Partition, m.Key, headers, value}) // maps are encoded in the order of their keys
		list = append(list, string(text))
	}
	slices.Sort(list)
	return list
}

func previewedMessages(records []previewedRecord) []message {
	list := make([]message, len(records))
	for i := range records {
		list[i] = records[i].message()
	}
	return list
}

// letterTexts returns dead letters without the members that differ between calls.
func letterTexts(t *testing.T, letters []message) []string {
	t.Helper()
	var list []string
	for _, m := range letters {
		var l schema.DeadLetter
		if err := json.Unmarshal([]byte(m.Value), &l); err != nil {
			t.Fatal(err)
		}
		l.Export, l.Attempt, l.FailedAt, l.Request.StartedAt, l.Request.DurationMs, l.Request.Bytes, l.Request.Rows = 0, 0, time.Time{}, time.Time{}, 0, 0, 0
		value, err := l.JSON()
		if err != nil {
			t.Fatal(err)
		}
		m.Value = string(value)
		list = append(list, comparable([]message{m}, false, true)...)
	}
	slices.Sort(list)
	return list
}

// topicNames returns the existing topics of the service.
func (b *testbed) topicNames() []string {
	b.t.Helper()
	var names []string
	b.query(func(ctx context.Context, client *kadm.Client) error {
		topics, err := client.ListTopics(ctx)
		for name := range topics {
			if strings.HasPrefix(name, b.prefix) {
				names = append(names, name)
			}
		}
		return err
	})
	return names
}

// TestPreview_Formats compares the records that preview shows, before and after the first run,
// with those that run publishes, byte for byte in every format.
func TestPreview_Formats(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "json-typed", "json-schema", "avro", "protobuf"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			registry, binary := "", false
			if !strings.HasPrefix(format, "json") || format == "json-schema" {
				registry, binary = registryURL(t), true
			}
			b := newTyped(t, format, registry)
			b.change(func(api *exporttest.Server) {
				api.Data.RowsPerDay, api.Data.Late, api.Data.Header = 60, 0, nil
				api.Faults = func(exporttest.Call) *exporttest.Fault {
					return &exporttest.Fault{BadRows: []exporttest.BadRow{{After: 3, Kind: exporttest.FewerFields}, {After: 9, Kind: exporttest.EmptyKey}, {After: 20, Kind: exporttest.HugeCell, Size: 1200 << 10}}}
				}
			})
			if format == "json" {
				delete(b.environ, "STREAM_EVENTS_COLUMNS")
			}
			b.set("STREAM_EVENTS_START", "0", "STREAM_EVENTS_HEADERS", "event_name", "STREAM_EVENTS_CLOUDEVENTS", "true", "KAFKA_PARTITIONS", "4", "KAFKA_COMPRESSION", "none")
			today := currentDay().String()

			before := b.preview(0, "events", "--day", today, "--rows", "100")
			if names := b.topicNames(); len(names) > 0 {
				t.Errorf("preview has created %v", names)
			}
			if registry != "" {
				b.expectNoSubjects(registry)
			}
			if calls := len(b.api.Calls()); calls != 1 {
				t.Errorf("preview has made %d calls, want 1", calls)
			}
			b.runOnce(0)
			after := b.preview(0, "events", "--day", today, "--rows", "100")

			published := b.consume("events", kgo.ReadCommitted())
			if len(published) < 60 {
				t.Fatalf("%d records are published", len(published))
			}
			if diff := cmp.Diff(comparable(published, binary, false), comparable(previewedMessages(before.Records), binary, false)); diff != "" {
				t.Errorf("previewed before the run (-published +previewed):\n%s", diff)
			}
			if diff := cmp.Diff(comparable(published, binary, true), comparable(previewedMessages(after.Records), binary, true)); diff != "" {
				t.Errorf("previewed after the run (-published +previewed):\n%s", diff)
			}
			letters := letterTexts(t, b.consume("dead-letters", kgo.ReadCommitted()))
			if diff := cmp.Diff(letters, letterTexts(t, previewedMessages(before.Letters))); diff != "" || len(letters) != 3 {
				t.Errorf("dead letters (-published +previewed):\n%s", diff)
			}
			if before.TopicExists || !after.TopicExists {
				t.Errorf("the topic exists: before the run %v, after it %v", before.TopicExists, after.TopicExists)
			}
			checkPreviewedTypes(t, format, &after)
			if registry != "" && (after.SchemaID == before.SchemaID || len(after.Records[0].Fields) == 0) {
				t.Errorf("schema ids %d and %d, fields %s", before.SchemaID, after.SchemaID, after.Records[0].Fields)
			}
		})
	}
}

// expectNoSubjects fails the test if the registry has a subject of the testbed's topics. A real
// registry also has subjects of other tests.
func (b *testbed) expectNoSubjects(registry string) {
	b.t.Helper()
	client, err := sr.NewClient(sr.URLs(registry))
	if err != nil {
		b.t.Fatal(err)
	}
	subjects, err := client.Subjects(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, subject := range subjects {
		if strings.HasPrefix(subject, b.prefix) {
			b.t.Errorf("preview has registered %s", subject)
		}
	}
}

func checkPreviewedTypes(t *testing.T, format string, p *previewed) {
	t.Helper()
	if !p.Whole || p.Sampled < 60 {
		t.Errorf("%d rows were sampled, whole: %v", p.Sampled, p.Whole)
	}
	types := map[string]string{}
	for _, c := range p.Columns {
		types[c.Name] = fmt.Sprint(c.Type, " ", c.Declared, " ", c.Candidates)
	}
	want := map[string]string{"df_server_datetime": "datetime false [{datetime} {datetime(6)}]", "event_name": "string false []"}
	if format == "json" {
		want["df_server_datetime"] = "string false [{datetime} {datetime(6)}]"
	}
	for name, text := range want {
		if types[name] != text {
			t.Errorf("column %s is %q, want %q", name, types[name], text)
		}
	}
}

// TestPreview_Text checks the text output of preview.
func TestPreview_Text(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{
		Data: exporttest.Data{Seed: 3, RowsPerDay: 200},
		Faults: func(exporttest.Call) *exporttest.Fault {
			return &exporttest.Fault{BadRows: []exporttest.BadRow{{After: 1, Kind: exporttest.FewerFields}}}
		},
	})
	delete(b.environ, "KAFKA_PARTITIONS")
	out, got := b.run("preview", "events", "--rows", "3")
	if got.Code != 0 {
		t.Fatalf("exit %d:\n%s%s", got.Code, out, got.Stderr)
	}
	yesterday := (currentDay() - 1).String()
	expectText(t, got.Stderr, "preview of events "+yesterday+": making one export call; according to the ledger 100 of 100 calls an hour are left; nothing is written\n")
	expectText(t, out,
		"\n2 records for topic "+b.prefix+"events, 6 partitions, does not exist yet\n", "\nrecord 2, partition ", "\n  export  1234/events/"+yesterday+"/1\n",
		"\n1 dead letter for topic "+b.prefix+"dead-letters\n\nrow field_count\n  line 3: ", " columns, from all 200 rows of the day\n",
		"\n  COLUMN ", "\n  df_server_datetime  ")
}

// TestPreview_Failures: preview ends without records if the call fails or can't be made, and
// says why.
func TestPreview_Failures(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 3, RowsPerDay: 20}})
	for name, args := range map[string][]string{
		"no stream": {}, "another stream": {"event"}, "no row": {"events", "--rows", "0"}, "a day to come": {"events", "--day", (currentDay() + 1).String()}, "no day": {"events", "--day", "today"},
	} {
		if out, got := b.run(append([]string{"preview"}, args...)...); got.Code != 2 || out != "" {
			t.Errorf("%s: exit %d, %s%s", name, got.Code, out, got.Stderr)
		}
	}
	if calls := len(b.api.Calls()); calls != 0 {
		t.Errorf("%d calls were made", calls)
	}
	b.change(func(api *exporttest.Server) {
		api.Faults = func(exporttest.Call) *exporttest.Fault { return &exporttest.Fault{Code: schema.QueryError} }
	})
	p := b.preview(1, "events")
	if len(p.Records) != 0 || len(p.Letters) != 1 || !strings.Contains(p.Error, "query_error") {
		t.Errorf("a failed query: %d records, %d dead letters, error %q", len(p.Records), len(p.Letters), p.Error)
	}
	b.set("DFINERY_CALLS_PER_HOUR", "1", "STREAM_EVENTS_POLL_INTERVAL", "1h", "STREAM_EVENTS_LOOKBACK", "0")
	b.change(func(api *exporttest.Server) { api.Faults = nil })
	b.run("run", "--once") // it ends with work left
	calls := len(b.api.Calls())
	if _, got := b.run("preview", "events"); got.Code != 1 || !strings.Contains(got.Stderr, "the call was not made: the service waits for quota until ") {
		t.Errorf("a spent quota: exit %d, %s", got.Code, got.Stderr)
	}
	if made := len(b.api.Calls()) - calls; made != 0 {
		t.Errorf("%d calls were made with a spent quota", made)
	}
}

// TestPreview_Changes compares the records that preview shows of a stream with MODE=changes with
// those that its first export publishes.
func TestPreview_Changes(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 3, RowsPerDay: 20, Users: 30}})
	b.set("STREAMS", "users", "STREAM_USERS_EXPORT", "userprofile", "STREAM_USERS_TOPIC", b.prefix+"users", "STREAM_USERS_MODE", "changes", "STREAM_USERS_META", "true")
	for _, name := range []string{"STREAM_EVENTS_TOPIC", "STREAM_EVENTS_START"} {
		delete(b.environ, name)
	}
	before := b.preview(0, "users", "--rows", "100")
	b.runOnce(0)
	published := b.consume("users", kgo.ReadCommitted())
	if diff := cmp.Diff(comparable(published, false, true), comparable(previewedMessages(before.Records), false, true)); diff != "" || len(published) != 30 {
		t.Errorf("%d records, previewed (-published +previewed):\n%s", len(published), diff)
	}
}
