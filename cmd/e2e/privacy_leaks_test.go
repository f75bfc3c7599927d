package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/schema"
)

const (
	privacyHeader = "df_unified_id,event_name,df_name,phone,city,memo"
	hiddenName    = "cnry-name-7731"
	hiddenPhone   = "cnry-phone-01055512345"
	hiddenCity    = "cnry-city-4242"
)

// privacyLine returns a row with hidden cells.
func privacyLine(user, memo string) string {
	return strings.Join([]string{user, "open", hiddenName, hiddenPhone, hiddenCity, memo}, ",")
}

// hideColumns hides columns of privacyHeader in the stream events.
func (b *testbed) hideColumns() {
	b.set("STREAM_EVENTS_DROP", "phone", "STREAM_EVENTS_HASH", "df_name", "STREAM_EVENTS_MASK", "city", "PRIVACY_KEY_FILE", writeKey(b.t, privacySecret))
}

// TestPrivacy_NothingLeaks runs exports with every kind of fault: no topic, log, dead letter,
// record of the ledger, page of the admin server or output of a command contains a hidden cell,
// neither as it is nor hashed without the key. The published values are compared exactly.
func TestPrivacy_NothingLeaks(t *testing.T) {
	t.Parallel()
	body := func(lines ...string) string { return privacyHeader + "\n" + strings.Join(lines, "\n") + "\n" }
	memo := strings.Repeat("0123456789", 150)
	bad := []string{
		"u11,open," + hiddenName + "," + hiddenPhone,                               // too few fields
		privacyLine("u12", "m") + "," + hiddenCity,                                 // too many
		`u13,"open"x,` + hiddenName + "," + hiddenPhone + "," + hiddenCity + ",m",  // quotes
		"u14,open,\xff" + hiddenName + "," + hiddenPhone + "," + hiddenCity + ",m", // not UTF-8
		privacyLine("", "no key"), privacyLine("u15", memo),                        // no key; too large for Kafka
	}
	good := body(privacyLine("u1", "a"), privacyLine("u2", `"say ""b"""`), "u3,open,,,,", privacyLine("u1", "a"))
	cells := strings.Join([]string{hiddenName, hiddenPhone, hiddenCity}, " ")
	faults := []answer{
		csvOf("text/csv", body(append(bad, privacyLine("u1", "a"))...)),
		{status: 500, header: http.Header{"Content-Type": {"application/json"}}, body: `{"result":"` + hiddenCity + `","message":"row ` + cells + `"}`},
		{status: 500, header: http.Header{"Content-Type": {"application/json"}}, body: `{"result":"fail","message":"unknown_error","at":"` + cells + `"}`},
		{status: 502, header: http.Header{"Content-Type": {"text/html"}}, body: "<p>" + cells + "</p>"},
		{status: 302, header: http.Header{"Location": {"https://other.example/?q=" + hiddenPhone}}},
		csvOf("text/csv", privacyHeader+"\n"+privacyLine("u1", "a")+"\n"+privacyLine("u2", "torn")),
		csvOf("text/csv", body(privacyLine("u1", "a"), `{"result":"fail","message":"`+cells+`"}`)),
		csvOf("text/csv", body(privacyLine("u1", "a"), `u2,"open,`+cells)),
		csvOf("text/csv; charset="+hiddenName, good),
		{header: http.Header{"Content-Type": {"text/csv"}, "Content-Encoding": {hiddenName}}, body: "\x01\x02" + cells},
		csvOf("text/csv", body(privacyLine("u1", "a"), "u2,open,"+hiddenName)),
		{status: 404, body: cells},
	}
	b, reply := newAnswering(t, func(back, call int) answer {
		if call == 0 && back < len(faults) {
			return faults[back]
		}
		return csvOf("text/csv", good)
	})
	b.hideColumns()
	b.set("STREAM_EVENTS_START", fmt.Sprint(len(faults)-1), "STREAM_EVENTS_MAX_BAD", "off", "KAFKA_COMPRESSION", "none", "BREAKER_FAILURES", "100", "LOG_LEVEL", "debug",
		"STREAM_EVENTS_HEADERS", "df_name,phone,city", "STREAM_EVENTS_CLOUDEVENTS", "true")
	b.pollEvery("20ms")
	b.createTopic("events", 2, map[string]string{"max.message.bytes": "1000"})
	lines := append([]string{privacyLine("u1", "a"), privacyLine("u2", `"say ""b"""`), privacyLine("u2", "torn")}, bad...)
	hidden := newCanaries(t, privacyHeader, []string{hiddenName, hiddenPhone, hiddenCity}, lines)

	// Each day that a fault refuses halts the stream.
	outputs := map[string]string{}
	for i := range 8 {
		_, got := b.run("run", "--once")
		outputs[fmt.Sprint("log ", i)] = got.Stderr
		if got.Code == 0 {
			break
		}
		b.command(nil, "resume", "events", "--wait", "0s")
	}
	codes := map[schema.Code]int{}
	for _, l := range b.deadLetters() {
		codes[l.Error.Code]++
	}
	for _, code := range []schema.Code{"field_count", "bad_quotes", "invalid_utf8", "empty_key", "too_large", "unknown_error", "http_500", "not_csv", "redirect", "maybe_torn",
		"cut_body", "open_quote", "bad_encoding", "http_404"} {
		if codes[code] == 0 {
			t.Errorf("no dead letter with the code %s: %v", code, codes)
		}
	}

	// A row in the place of the header: without the key's name, and with it.
	for _, c := range [][2]string{{"bad_header", privacyLine("u1", hiddenName)}, {"privacy_columns", "df_unified_id," + privacyLine("u1", "a")}} {
		name, header := c[0], c[1]
		reply(func(int, int) answer { return csvOf("text/csv", header+"\n"+privacyLine("u1", "a")+"\n") })
		_, got := b.run("run", "--once")
		if got.Code != 3 || !strings.Contains(got.Stderr, `"code":"`+name+`"`) {
			t.Errorf("%s: exit %d: %s", name, got.Code, got.Stderr)
		}
		outputs["log of "+name] = got.Stderr
		for _, args := range [][]string{{"preview", "events"}, {"check", "--call"}} {
			out, got := b.run(args...)
			outputs[strings.Join(args, " ")+" of "+name] = out + got.Stderr
		}
		if name == "bad_header" {
			b.command(nil, "resume", "events", "--wait", "0s")
		}
	}
	b.withAdminServer()
	p := b.start("run")
	admin := p.admin()
	p.await(isOwner)
	for _, path := range []string{"/status", "/metrics", "/", "/?stream=events", "/readyz"} {
		_, outputs[path] = admin.get(path)
	}
	p.kill()
	outputs["log of the owner"] = p.log()
	reply(func(int, int) answer { return csvOf("text/csv", body(append(bad, privacyLine("u1", "a"))...)) })
	for _, args := range [][]string{{"status"}, {"status", "--json"}, {"config"}, {"config", "--json"}, {"check", "--call"}, {"preview", "events"}, {"preview", "events", "--json"},
		{"dlq", "list"}, {"dlq", "list", "--json"}, {"dlq", "replay", "--kind", "row", "--plan"}} {
		out, got := b.run(args...)
		outputs[strings.Join(args, " ")] = out + got.Stderr
	}
	for line := range strings.Lines(outputs["dlq list --json"]) {
		var l struct{ Name string }
		if json.Unmarshal([]byte(line), &l) == nil {
			out, got := b.run("dlq", "show", l.Name)
			outputs["dlq show "+l.Name] = out + got.Stderr
		}
		if len(outputs) > 60 {
			break
		}
	}
	for where, text := range outputs {
		hidden.expectNone(where, text)
	}
	hidden.expectNoneInTopics(b, "events", "dead-letters", "ledger", "ledger.rows")

	name := hashed("df_name", hiddenName)
	want := map[string]bool{
		`{"df_unified_id":"u1","event_name":"open","df_name":"` + name + `","city":"***","memo":"a"}`:         true,
		`{"df_unified_id":"u2","event_name":"open","df_name":"` + name + `","city":"***","memo":"say \"b\""}`: true,
		`{"df_unified_id":"u3","event_name":"open"}`:                                                          true,
	}
	got := map[string]bool{}
	for _, m := range b.consume("events", kgo.ReadUncommitted()) {
		got[m.Value] = true
		if m.Key != "u3" && (m.Headers["df_name"] != name || m.Headers["city"] != "***") || m.Headers["phone"] != "" {
			t.Errorf("headers %v", m.Headers)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	b.expectRedacted(t, name)
}

// expectRedacted checks the dead letters of rows: those of rows that could be parsed have the
// public cells, the others only the position.
func (b *testbed) expectRedacted(t *testing.T, name string) {
	t.Helper()
	for _, l := range b.deadLetters() {
		if l.Kind != schema.KindRow {
			if l.Error.Body != "" || l.Error.BodyBase64 != "" || l.Error.Headers["location"] != "" || !l.Redacted {
				t.Errorf("a dead letter of an export: %+v", l)
			}
			continue
		}
		want := ""
		switch l.Error.Code {
		case schema.EmptyKey:
			want = ",open," + name + ",***,no key"
		case schema.TooLarge:
			want = "u15,open," + name + ",***," + strings.Repeat("0123456789", 150)
		}
		if l.Row.Raw != want || l.Row.RawBase64 != "" || !l.Redacted || l.Row.RawBytes == 0 || l.Row.Line == 0 || l.FromCopy(true) || l.FromCopy(false) {
			t.Errorf("%s: raw %q, want %q: %+v", l.Error.Code, l.Row.Raw, want, l.Row)
		}
		if diff := cmp.Diff([]string{"df_unified_id", "event_name", "df_name", "city", "memo"}, l.Row.Columns); diff != "" {
			t.Errorf("columns (-want +got):\n%s", diff)
		}
	}
}

// TestPrivacy_TooManyBadRows: the dead letter of an export with too many bad rows contains none
// of them.
func TestPrivacy_TooManyBadRows(t *testing.T) {
	t.Parallel()
	short := "u1,open," + hiddenName + "," + hiddenPhone
	b, _ := newAnswering(t, func(int, int) answer {
		return csvOf("text/csv", privacyHeader+"\n"+privacyLine("u0", "a")+"\n"+strings.Repeat(short+"\n", 1200)+privacyLine("u2", "b")+"\n")
	})
	b.hideColumns()
	b.set("STREAM_EVENTS_START", "0", "KAFKA_COMPRESSION", "none")
	log := b.runOnce(3)
	hidden := newCanaries(t, privacyHeader, []string{hiddenName, hiddenPhone, hiddenCity}, []string{short, privacyLine("u0", "a")})
	hidden.expectNone("the log", log)
	hidden.expectNoneInTopics(b, "events", "dead-letters", "ledger", "ledger.rows")
	letters := b.deadLetters()
	if len(letters) != 1 || letters[0].Error.Code != schema.BadRows || len(letters[0].Rows) != 10 || letters[0].Rows[0].Line != 3 || !letters[0].Redacted {
		t.Errorf("letters %+v", letters)
	}
}
