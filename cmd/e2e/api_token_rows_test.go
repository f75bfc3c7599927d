package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestToken_EchoedInCells puts the token into cells of bad rows: it is in no dead letter and
// in no output. The letters say that they were redacted, and a replay exports their day,
// since the row can't be published from a redacted copy. One of the tokens has the same
// length as the text that replaces it.
func TestToken_EchoedInCells(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"tenletters", `a%41b"c\d%2F`} {
		t.Run(fmt.Sprintf("%d", len(token)), func(t *testing.T) {
			t.Parallel()
			inJSON, _ := json.Marshal(token)
			cell := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
			pad := strings.Repeat("0123456789", 100)
			long := strings.Repeat("0123456789", 3_000) // a dead letter has only the beginning
			var large atomic.Bool
			large.Store(true)
			rows := []map[string]string{
				{"df_unified_id": "u1", "memo": "fine"},
				{"df_unified_id": "u2", "memo": token + pad},
				{"df_unified_id": "u3", "memo": string(inJSON) + pad},
				{"df_unified_id": "u4", "memo": long[:schema.MaxCopy-len("u4,")-len(token)+2] + token + long},
			}
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/csv")
				text := "df_unified_id,memo\n"
				for _, r := range rows {
					text += r["df_unified_id"] + "," + cell(r["memo"]) + "\n"
				}
				text += "," + cell(token) + "\nu5,x," + cell(token) + "\n" + `u6,"x"y` + cell(token) + "\n" + "u7,\xff" + strings.NewReplacer(`"`, "", `\`, "").Replace(token) + "\n"
				_, _ = io.WriteString(w, text)
			}))
			t.Cleanup(api.Close)
			b := newTestbed(t, &exporttest.Server{})
			b.environ["DFINERY_BASE_URL"], b.environ["STREAM_EVENTS_START"], b.environ["DFINERY_EXPORT_TOKEN"] = api.URL, "0", token
			b.environ["KAFKA_COMPRESSION"], b.environ["STREAM_EVENTS_MAX_BAD"] = "none", "off"
			b.unlimited()
			b.pollEvery("1h")
			b.createTopic("events", 1, map[string]string{"max.message.bytes": "800"})
			b.runOnce(0)
			secret := strings.NewReplacer(`"`, "", `\`, "").Replace(token)[:6]
			check := func(what, text string) {
				t.Helper()
				if strings.Contains(text, secret) {
					t.Errorf("%s has the token: %.2000s", what, text)
				}
			}
			codes := map[schema.Code]int{}
			for _, m := range b.consume("dead-letters", kgo.ReadUncommitted()) {
				check("a letter", fmt.Sprint(m))
				var l schema.DeadLetter
				if err := json.Unmarshal([]byte(m.Value), &l); err != nil {
					t.Fatal(err)
				}
				codes[l.Error.Code]++
				if !l.Redacted && l.Error.Code != schema.InvalidUTF8 {
					t.Errorf("a dead letter does not say that it was redacted: %.300s", m.Value)
				}
			}
			for _, code := range []schema.Code{schema.EmptyKey, schema.TooLarge, schema.FieldCount, schema.BadQuotes, schema.InvalidUTF8} {
				if codes[code] == 0 {
					t.Errorf("no dead letter has the code %s: %v", code, codes)
				}
			}
			list, _ := b.run("dlq", "list", "--json")
			check("dlq list --json", list)
			table, _ := b.run("dlq", "list")
			check("dlq list", table)
			for line := range strings.Lines(list) {
				var l struct{ Name string }
				if err := json.Unmarshal([]byte(line), &l); err != nil {
					t.Fatal(err)
				}
				shown, _ := b.run("dlq", "show", l.Name)
				check("dlq show", shown)
			}
			b.setTopicConfig("events", "max.message.bytes", "1000000")
			p := b.start("run")
			p.await(isOwner)
			out, got := b.run("dlq", "replay", "--code", "too_large", "--yes")
			if got.Code != 0 {
				t.Fatalf("exit %d: %s%s", got.Code, out, got.Stderr)
			}
			expectText(t, out, "0 rows to be read again, 1 day to be exported again", "0 rows published, 0 were published already, 0 are still bad, 1 day exported again")
			p.kill()
			check("the log", p.log())
			compareRows(t, newRows(rows...), b.published("events"))
		})
	}
}
