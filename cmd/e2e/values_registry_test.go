package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"dfinery-kafka/schema"
)

// registryProxy returns the URL of a proxy for a registry. While refuse is not 0, the proxy answers
// every request with that status.
func registryProxy(t *testing.T, target string) (string, *atomic.Int64) {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	refuse := new(atomic.Int64)
	proxy := httputil.NewSingleHostReverseProxy(to)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := refuse.Load(); status != 0 {
			http.Error(w, `{"error_code":50001,"message":"as the test asks"}`, int(status))
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, refuse
}

// TestValues_RegistryAway: while the registry does not answer, nothing that needs it is exported
// or published. When it answers, all rows are published.
func TestValues_RegistryAway(t *testing.T) {
	t.Parallel()
	registry, refuse := registryProxy(t, registryURL(t))
	b := newTyped(t, "avro", registry)
	refuse.Store(http.StatusServiceUnavailable)
	p := b.start("run")
	p.await("registry_unavailable")
	refuse.Store(0)
	b.await("every day exported", func() bool {
		return len(b.served(schema.Event)) > 4*300 && b.countRecords() == len(b.served(schema.Event))
	})
	p.signal(syscall.SIGTERM)
	p.expectExit(0)
	b.runOnce(0) // the stop may have interrupted the next export
	compareRows(t, newRows(b.servedTyped()...), newRows(b.publishedTyped("avro", registry)...))
	if letters := b.deadLetters(); len(letters) > 0 {
		t.Errorf("%d dead letters were written while the registry did not answer", len(letters))
	}
}

// TestValues_RegistryAwayLater: a process that has registered the schema of a header publishes its
// rows without the registry.
func TestValues_RegistryAwayLater(t *testing.T) {
	t.Parallel()
	target, err := url.Parse(registryURL(t))
	if err != nil {
		t.Fatal(err)
	}
	var requests atomic.Int64
	proxy := httputil.NewSingleHostReverseProxy(target)
	once := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) > 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(once.Close)
	b, _ := newAnswering(t, func(_, call int) answer {
		return csvOf("text/csv", "df_unified_id,event_name,n\nu1,open,1\n"+strings.Repeat("u2,open,2\n", min(call, 1)))
	})
	b.pollEvery("20ms")
	b.set("STREAM_EVENTS_START", "0", "STREAM_EVENTS_FORMAT", "avro", "SCHEMA_REGISTRY_URL", once.URL)
	p := b.start("run")
	p.await(isOwner)
	b.await("the later row", func() bool { return b.countRecords() == 2 })
	p.signal(syscall.SIGTERM)
	p.expectExit(0)
}

// TestValues_RegistryToken: an access token that the registry does not accept any more is replaced
// by a new one, although nothing says when it ends.
func TestValues_RegistryToken(t *testing.T) {
	t.Parallel()
	target, err := url.Parse(registryURL(t))
	if err != nil {
		t.Fatal(err)
	}
	var tokens, requests atomic.Int64
	login := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer"}`, tokens.Add(1))
	}))
	t.Cleanup(login.Close)
	proxy := httputil.NewSingleHostReverseProxy(target)
	guard := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 || r.Header.Get("Authorization") != fmt.Sprintf("Bearer token-%d", tokens.Load()) {
			http.Error(w, `{"error_code":40101,"message":"Unauthorized"}`, http.StatusUnauthorized)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(guard.Close)
	b, _ := newAnswering(t, func(int, int) answer { return csvOf("text/csv", "df_unified_id,event_name\nu1,open\n") })
	b.set("STREAM_EVENTS_START", "0", "STREAM_EVENTS_FORMAT", "avro", "SCHEMA_REGISTRY_URL", guard.URL, "SCHEMA_REGISTRY_OAUTH_TOKEN_URL", login.URL,
		"SCHEMA_REGISTRY_OAUTH_CLIENT_ID", "dfinery", "SCHEMA_REGISTRY_OAUTH_CLIENT_SECRET", "registry-secret")
	p := b.start("run")
	p.await(isOwner)
	b.await("the row", func() bool { return b.countRecords() == 1 })
	if n := tokens.Load(); n != 2 {
		t.Errorf("%d access tokens were requested, want a second one after the refusal", n)
	}
	p.signal(syscall.SIGTERM)
	p.expectExit(0)
}

// TestValues_RegistryRefuses: a refusal halts the stream, with one dead letter for each attempt
// that has the registry's message. resume continues it.
func TestValues_RegistryRefuses(t *testing.T) {
	t.Parallel()
	registry, refuse := registryProxy(t, registryURL(t))
	b := newTyped(t, "avro", registry)
	refuse.Store(http.StatusConflict)
	out := b.runOnce(3)
	if !strings.Contains(out, string(schema.SchemaIncompatible)) {
		t.Errorf("run --once does not say why: %s", out)
	}
	letters := b.deadLetters()
	if len(letters) == 0 || letters[0].Error.Code != schema.SchemaIncompatible || !strings.Contains(letters[0].Error.Detail, "as the test asks") {
		t.Errorf("dead letters %+v", letters)
	}
	refuse.Store(0)
	b.command(nil, "resume", "events")
	b.runOnce(0)
	compareRows(t, newRows(b.servedTyped()...), newRows(b.publishedTyped("avro", registry)...))
}

// TestValues_RegistryEmptied: a registry that was emptied would assign old ids to new schemas. The
// stream is halted; resume accepts new ids.
func TestValues_RegistryEmptied(t *testing.T) {
	t.Parallel()
	first, second := srfake.New(), srfake.New()
	t.Cleanup(first.Close)
	t.Cleanup(second.Close)
	b := newTyped(t, "avro", first.URL())
	b.runOnce(0)
	before := b.countRecords()
	b.set("SCHEMA_REGISTRY_URL", second.URL())
	if out := b.runOnce(3); !strings.Contains(out, string(schema.RegistryLost)) {
		t.Errorf("run --once does not say why: %s", out)
	}
	if n := b.countRecords(); n != before {
		t.Errorf("%d records were published with ids of the emptied registry", n-before)
	}
	b.command(nil, "resume", "events")
	b.runOnce(0)
}

// TestValues_FormatChanged: values of another format are not published to a topic that has values
// of one. check reports that, and the log before any call.
func TestValues_FormatChanged(t *testing.T) {
	t.Parallel()
	for name, formats := range map[string][2]string{"json to avro": {"json", "avro"}, "json-typed to json": {"json-typed", "json"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newTyped(t, "json-typed", "")
			delete(b.environ, "STREAM_EVENTS_COLUMNS")
			b.set("STREAM_EVENTS_FORMAT", formats[0])
			b.runOnce(0)
			before := b.countRecords()
			b.set("STREAM_EVENTS_FORMAT", formats[1])
			if formats[1] == "avro" {
				b.set("SCHEMA_REGISTRY_URL", registryURL(t))
			}
			b.command([]string{"warn  stream events: the format of values is " + formats[1] + " instead of " + formats[0], "is halted until"}, "check")
			out := b.runOnce(3)
			expectText(t, out, "the format of values is "+formats[1]+" instead of ", string(schema.SchemaChanged))
			if n := b.countRecords(); n != before {
				t.Errorf("%d records of another format were published", n-before)
			}
		})
	}
}

// TestValues_FormerTopic: a stream that returns to a topic may not change the format that its
// values have there.
func TestValues_FormerTopic(t *testing.T) {
	t.Parallel()
	for _, steps := range [][]string{
		{"avro A", "json B", "avro B"},
		{"json A", "json B", "avro A"},
		{"avro A", "json-typed B", "json A"},
		{"json-typed A", "avro B", "avro A"},
	} {
		t.Run(strings.Join(steps, ", "), func(t *testing.T) {
			t.Parallel()
			b, _ := newAnswering(t, func(int, int) answer { return csvOf("text/csv", "df_unified_id,event_name\nu1,open\n") })
			b.pollEvery("20ms")
			b.set("STREAM_EVENTS_START", "0", "SCHEMA_REGISTRY_URL", registryURL(t))
			for i, step := range steps {
				format, topic, _ := strings.Cut(step, " ")
				b.set("STREAM_EVENTS_FORMAT", format, "STREAM_EVENTS_TOPIC", b.prefix+topic)
				if i < len(steps)-1 {
					b.runOnce(0)
					continue
				}
				expectText(t, b.runOnce(3), string(schema.SchemaChanged), "topic "+b.prefix+topic+" has values of the format ")
			}
			b.set("STREAM_EVENTS_FORMAT", strings.Fields(steps[0])[0], "STREAM_EVENTS_TOPIC", b.prefix+"A")
			b.command(nil, "resume", "events")
			b.runOnce(0)
		})
	}
}

// TestValues_BadValue: a row with a cell that its type refuses has a dead letter that names the
// cell, or the cell becomes null and is counted. With the right type the row is published once.
func TestValues_BadValue(t *testing.T) {
	t.Parallel()
	b := newTyped(t, "json-typed", "")
	b.set("STREAM_EVENTS_COLUMNS", "df_api_version:boolean", "STREAM_EVENTS_MAX_BAD", "off", "STREAM_EVENTS_START", "0")
	b.runOnce(0)
	letters := b.deadLetters()
	if len(letters) == 0 {
		t.Fatal("there are no dead letters")
	}
	for _, l := range letters {
		if l.Error.Code != schema.BadValue || !strings.Contains(l.Error.Detail, "column df_api_version") || !strings.Contains(l.Error.Detail, "is no boolean") {
			t.Fatalf("dead letter %+v", l.Error)
		}
	}
	b.set("STREAM_EVENTS_BAD_VALUE", "null")
	b.runOnce(0)
	if n, rows := b.countRecords(), len(b.served(schema.Event)); n != rows {
		t.Errorf("%d rows are published, %d were served", n, rows)
	}
}

// countRecords counts the records of the stream events, in any format.
func (b *testbed) countRecords() int { return len(b.consume("events", kgo.ReadUncommitted())) }
