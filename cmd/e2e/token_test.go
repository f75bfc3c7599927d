package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestTokenRotated: a refused token stops all calls; once its file has another one the streams resume by themselves. The server echoes
// tokens wherever it can, and none of them is in a topic, a log or a message.
func TestTokenRotated(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{
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
	b.unbounded()
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
	b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"] = "200ms", "200ms"
	p := b.start(binary, nil, "run")
	p.await("token")
	p.await(`"code":"unauthorized_token"`)
	time.Sleep(2 * time.Second)
	refused := len(b.api.Calls())
	if refused > 5 {
		t.Errorf("%d calls with a token that is refused", refused)
	}
	out, _ := b.run("status")
	expect(t, out, "unauthorized_token")
	write(canary)
	p.await(`"code":"ok"`)

	write("next-" + canary)
	b.api.SetToken("next-" + canary)
	ok := strings.Count(p.text(), `"code":"ok"`)
	p.awaitMore(`"code":"ok"`, ok+2)
	p.kill() // it looks for the token in the log
	for _, topic := range []string{"events", "dead-letters", "ledger", "ledger.rows"} {
		for _, m := range b.consume(b.prefix+topic, kgo.ReadUncommitted()) {
			if strings.Contains(m.Key+m.Value+m.ID+m.Export+m.Reason, canary) {
				t.Errorf("the token is in topic %s: %s", topic, m.Value)
			}
		}
	}
}

// TestTokenRefused: run --once with a token that the API refuses ends with work left, and says what to do.
func TestTokenRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Data: exporttest.Data{Seed: 92, RowsPerDay: 10}})
	b.api.SetToken("another")
	log := b.once(3)
	expect(t, log, " left", "waits for token", "unauthorized_token")
	for _, l := range b.letters() {
		if l.Error.Code != schema.UnauthorizedToken || l.Error.HTTPStatus != 401 {
			t.Errorf("an unexpected dead letter: %+v", l.Error)
		}
	}
}
