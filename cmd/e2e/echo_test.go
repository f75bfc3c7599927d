package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestTokenEchoed: the server sends the token back wherever a server can, in several forms. No topic, log, metric, status or message has it.
func TestTokenEchoed(t *testing.T) {
	t.Parallel()
	upper := strings.ToUpper(canary)
	encoded := base64.StdEncoding.EncodeToString([]byte("Bearer " + canary))
	escaped := "%63" + canary[1:] // the letter c, as a URL may have it
	page := func(status int, text string) exporttest.Fault {
		return exporttest.Fault{Status: status, Page: "<html><pre>Authorization: " + text + "</pre></html>"}
	}
	header := func(name, value string) exporttest.Fault {
		return exporttest.Fault{Status: 503, Page: "later", ContentType: "text/plain", Header: http.Header{name: {value}}}
	}
	faults := []exporttest.Fault{
		{Code: schema.UnknownError, EchoToken: true},
		{Code: schema.Code("no such token: " + canary), Status: 500},
		{Code: schema.Code("no such token: " + upper), Status: 200},
		page(502, "Bearer "+canary), page(200, upper), page(500, encoded), page(500, escaped),
		{Status: 500, Page: "no such token: " + canary, ContentType: "text/plain"},
		{Status: 500, Page: "caf\xe9 " + canary, ContentType: "text/plain"},
		header("X-Request-Id", canary), header("Location", "https://elsewhere.example/?token="+canary), header("Server", encoded),
		{Redirect: "https://elsewhere.example/login?token=" + canary},
		{Then: exporttest.Fail, AfterRow: 3, Say: schema.Code("token " + canary)},
		{Then: exporttest.Fail, AfterRow: 3, EchoToken: true},
		{Rename: map[string]string{"df_app_version": canary, "df_session_id": "x-" + upper}, Then: exporttest.Fail, AfterRow: 3, Say: schema.QueryError}, // rows with such columns are published
		{Rename: map[string]string{"df_unified_id": canary}},
	}
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 93, RowsPerDay: 50}})
	b.unbounded()
	b.api.Inject(faults...)
	b.environ["STREAM_EVENTS_START"], b.environ["RETRY_BACKOFF"], b.environ["RETRY_MAX_BACKOFF"] = "0", "1ms", "2ms"
	b.environ["BREAKER_FAILURES"], b.environ["ADMIN_ADDR"] = "100", "127.0.0.1:0"
	p := b.start(binary, nil, "run")
	admin := p.console()
	p.await(`"code":"bad_header","rows"`) // the last one
	for _, path := range []string{"/status", "/metrics", "/readyz", "/livez"} {
		admin.get(path) // which looks for the token, as run and kill do
	}
	b.run("status")
	b.run("status", "--json")
	b.run("dlq", "list")
	list, _ := b.run("dlq", "list", "--json")
	for line := range strings.Lines(list) {
		var l struct{ Name string }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		b.run("dlq", "show", l.Name)
	}
	p.kill()
	if n := len(b.letters()); n != len(faults) {
		t.Errorf("%d dead letters, want one for each of %d failures\n%s", n, len(faults), p.text())
	}
	texts := []string{p.text(), list}
	for _, topic := range []string{"events", "dead-letters", "ledger", "ledger.rows"} {
		for _, m := range b.consume(b.prefix+topic, kgo.ReadUncommitted()) {
			texts = append(texts, m.Key, m.Value)
			for _, value := range m.Headers {
				texts = append(texts, value)
			}
		}
	}
	for _, text := range texts {
		for _, secret := range []string{canary, upper, encoded, escaped} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in %s", secret, text)
			}
		}
	}
}

// TestTokenBehindAnAnswer: net/http prints by itself what a server sends behind its answer.
func TestTokenBehindAnAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, out, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err) // HTTP/1 can always be hijacked
		}
		t.Cleanup(func() { conn.Close() }) // open until then: a connection that was closed is not looked at
		const body = "df_unified_id,event_name\nu,e\n"
		_, _ = fmt.Fprintf(out, "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n%sunasked, %s", len(body), body, canary)
		_ = out.Flush()
	}))
	t.Cleanup(server.Close)
	b.environ["DFINERY_BASE_URL"] = server.URL
	_, got := b.run("run", "--once")
	if got.Code != 0 || strings.Contains(got.Stderr, "unasked") {
		t.Errorf("exit %d:\n%s", got.Code, got.Stderr)
	}
	compare(t, slices.Repeat([]map[string]string{{"df_unified_id": "u", "event_name": "e"}}, 3), b.published("events"))
}
