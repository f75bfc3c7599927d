package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestToken_Rotated: no calls are made while the token is refused, until its file has another
// one. The server echoes tokens in its answers, but none is in a topic, a log or an error.
func TestToken_Rotated(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 91, RowsPerDay: 100},
		Faults: func(c exporttest.Call) *exporttest.Fault {
			switch c.N % 4 {
			case 0:
				return &exporttest.Fault{Code: schema.UnknownError, EchoToken: true}
			case 1:
				return &exporttest.Fault{Page: "<html>a proxy</html>", Status: 502, EchoToken: true}
			}
			return nil
		},
	})
	b.unlimited()
	file := filepath.Join(t.TempDir(), "token")
	write := func(token string) {
		t.Helper()
		if err := os.WriteFile(file+".new", []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	write("old-" + canary)
	delete(b.environ, "DFINERY_EXPORT_TOKEN")
	b.environ["DFINERY_EXPORT_TOKEN_FILE"] = file
	b.pollEvery("200ms")
	p := b.start("run")
	p.await("token")
	p.await(`"code":"unauthorized_token"`)
	time.Sleep(2 * time.Second)
	refused := len(b.api.Calls())
	if refused > 5 {
		t.Errorf("%d calls with the refused token", refused)
	}
	out, _ := b.run("status")
	expectText(t, out, "unauthorized_token")
	write(canary)
	p.await(`"code":"ok"`)

	write("next-" + canary)
	b.api.SetToken("next-" + canary)
	ok := p.count(`"code":"ok"`)
	p.awaitMore(`"code":"ok"`, ok+2)
	p.kill() // fails the test if the token is in the log
	for _, topic := range []string{"events", "dead-letters", "ledger", "ledger.rows"} {
		for _, m := range b.consume(topic, kgo.ReadUncommitted()) {
			if strings.Contains(m.Key+m.Value+m.ID+m.Export+m.Reason, canary) {
				t.Errorf("the token is in topic %s: %s", topic, m.Value)
			}
		}
	}
}

// TestToken_Refused: with a refused token "run --once" ends with work left, and logs what to do.
func TestToken_Refused(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 92, RowsPerDay: 10}})
	b.api.SetToken("another")
	log := b.runOnce(3)
	expectText(t, log, " left", "waits for token", "unauthorized_token")
	for _, l := range b.deadLetters() {
		if l.Error.Code != schema.UnauthorizedToken || l.Error.HTTPStatus != 401 {
			t.Errorf("an unexpected dead letter: %+v", l.Error)
		}
	}
}

// TestToken_Resume: "resume" retries a refused token at once instead of after ten minutes.
func TestToken_Resume(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 93, RowsPerDay: 10}})
	b.api.SetToken("another")
	p := b.start("run")
	p.await("token refused by the API")
	b.api.SetToken(canary)
	b.command([]string{"events resumed"}, "resume", "events")
	p.await("token accepted again")
	p.await(`"code":"ok"`)
	p.kill()
}

// TestToken_Echoed: the server sends the token in every part of an answer, in several forms. No
// topic, log, metric, status or error contains it.
func TestToken_Echoed(t *testing.T) {
	t.Parallel()
	upper := strings.ToUpper(canary)
	encoded := base64.StdEncoding.EncodeToString([]byte("Bearer " + canary))
	escaped := "%63" + canary[1:] // with the letter c escaped as in a URL
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
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 93, RowsPerDay: 50}})
	b.unlimited()
	b.api.Inject(faults...)
	b.environ["STREAM_EVENTS_START"], b.environ["RETRY_BACKOFF"], b.environ["RETRY_MAX_BACKOFF"] = "0", "1ms", "2ms"
	b.environ["BREAKER_FAILURES"], b.environ["ADMIN_ADDR"] = "100", "127.0.0.1:0"
	p := b.start("run")
	admin := p.admin()
	p.await(`"code":"bad_header","rows"`) // the last one
	for _, path := range []string{"/status", "/metrics", "/readyz", "/livez"} {
		admin.get(path) // fails the test if the token is in the body, as run and kill do for theirs
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
	if n := len(b.deadLetters()); n != len(faults) {
		t.Errorf("%d dead letters, want one for each of %d failures\n%s", n, len(faults), p.log())
	}
	texts := []string{p.log(), list}
	for _, topic := range []string{"events", "dead-letters", "ledger", "ledger.rows"} {
		for _, m := range b.consume(topic, kgo.ReadUncommitted()) {
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

// TestToken_AfterTheAnswer: the server sends the token after its answer, which net/http would
// log. The program does not log it.
func TestToken_AfterTheAnswer(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, out, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err) // HTTP/1 can always be hijacked
		}
		t.Cleanup(func() { conn.Close() }) // open until the end: net/http does not read from a closed connection
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
	compareRows(t, slices.Repeat(newRows(map[string]string{"df_unified_id": "u", "event_name": "e"}), 3), b.published("events"))
}
