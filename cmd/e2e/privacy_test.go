package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/schema"
)

// newPrivate returns a service whose days have these rows, and a counter of its calls.
func newPrivate(t *testing.T, body func() string) (*testbed, *atomic.Int64) {
	t.Helper()
	calls := new(atomic.Int64)
	b, _ := newAnswering(t, func(int, int) answer {
		calls.Add(1)
		return csvOf("text/csv", body())
	})
	b.hideColumns()
	b.pollEvery("1h")
	return b, calls
}

// values counts the values of the stream events.
func (b *testbed) values() map[string]int {
	b.t.Helper()
	values := map[string]int{}
	for _, m := range b.consume("events", kgo.ReadUncommitted()) {
		values[m.Value]++
	}
	return values
}

// TestPrivacy_GuessesOfID: a row's id does not depend on hidden cells. With all other cells known,
// no guess of a dropped or hashed cell can be confirmed by the id, and rows that differ only in
// dropped cells are copies of one row.
func TestPrivacy_GuessesOfID(t *testing.T) {
	t.Parallel()
	line := func(phone int, name string) string {
		return fmt.Sprintf("u1,open,%s,010%08d,Seoul,memo", name, phone)
	}
	b, _ := newPrivate(t, func() string {
		return privacyHeader + "\n" + line(55501234, "Kim") + "\n" + line(55509999, "Kim") + "\n" + line(55501234, "Lee") + "\n"
	})
	b.set("STREAM_EVENTS_START", "0")
	b.runOnce(0)
	names := strings.Split(privacyHeader, ",")
	public := func(name string) string {
		return rowID(t, []string{"df_unified_id", "event_name", "df_name", "city", "memo"}, "u1,open,"+hashed("df_name", name)+",***,memo")
	}
	ids := map[string]bool{}
	for _, m := range b.consume("events", kgo.ReadUncommitted()) {
		ids[m.ID] = true
	}
	if diff := cmp.Diff(map[string]bool{public("Kim"): true, public("Kim") + ".1": true, public("Lee"): true}, ids); diff != "" {
		t.Fatalf("ids (-of the public cells +published):\n%s", diff)
	}
	// With all other cells known, as they arrived and as they are published, and with hashes
	// that need no key.
	for guess := 55501000; guess < 55502000; guess++ {
		for _, name := range []string{"Kim", "Lee", hashed("df_name", "Kim"), ""} {
			for _, city := range []string{"Seoul", "***", ""} {
				if id := rowID(t, names, fmt.Sprintf("u1,open,%s,010%08d,%s,memo", name, guess, city)); ids[id] {
					t.Fatalf("the id confirms the phone number %d", guess)
				}
			}
		}
	}
}

// TestPrivacy_ListsChange: with other lists of hidden columns rows are other rows. The days in
// reach are published again, which is logged once at the start.
func TestPrivacy_ListsChange(t *testing.T) {
	t.Parallel()
	b, calls := newPrivate(t, func() string { return privacyHeader + "\n" + privacyLine("u1", "a") + "\n" })
	for _, name := range []string{"STREAM_EVENTS_DROP", "STREAM_EVENTS_HASH", "STREAM_EVENTS_MASK"} {
		delete(b.environ, name)
	}
	b.runOnce(0)
	const changed, begins = "hidden columns have changed: its days in reach are published again", "Kafka still has their earlier cells"
	name := hashed("df_name", hiddenName)
	want := map[string]int{fmt.Sprintf(`{"df_unified_id":"u1","event_name":"open","df_name":"%s","phone":"%s","city":"%s","memo":"a"}`, hiddenName, hiddenPhone, hiddenCity): 3}
	for _, step := range []struct {
		drop, hash, mask string
		value            string
		warnings         int
	}{
		{"phone", "df_name", "", fmt.Sprintf(`{"df_unified_id":"u1","event_name":"open","df_name":"%s","city":"%s","memo":"a"}`, name, hiddenCity), 1},
		{"phone", "df_name", "city", `{"df_unified_id":"u1","event_name":"open","df_name":"` + name + `","city":"***","memo":"a"}`, 0},
	} {
		b.set("STREAM_EVENTS_DROP", step.drop, "STREAM_EVENTS_HASH", step.hash, "STREAM_EVENTS_MASK", step.mask)
		out, _ := b.run("check")
		expectText(t, out, "hidden columns have changed: run publishes 3 days with 3 rows again")
		log := b.runOnce(0)
		expectText(t, log, changed, `"days":3,"rows":3`)
		if n := strings.Count(log, begins); n != step.warnings {
			t.Errorf("the log warns %d times of cells that Kafka still has, want %d:\n%s", n, step.warnings, log)
		}
		want[step.value] = 3
		if diff := cmp.Diff(want, b.values()); diff != "" {
			t.Errorf("values (-want +got):\n%s", diff)
		}
		before := calls.Load()
		if log := b.runOnce(0); strings.Contains(log, changed) || calls.Load() > before+1 { // only today may be due again
			t.Errorf("published again without a change, %d calls:\n%s", calls.Load()-before, log)
		}
	}
	if diff := cmp.Diff(want, b.values()); diff != "" {
		t.Errorf("values at the end (-want +got):\n%s", diff)
	}
}

// TestPrivacy_AnotherTopic names the topic that has the earlier cells when the columns are hidden
// and the topic is changed at once.
func TestPrivacy_AnotherTopic(t *testing.T) {
	t.Parallel()
	b, _ := newPrivate(t, func() string { return privacyHeader + "\n" + privacyLine("u1", "a") + "\n" })
	b.set("STREAM_EVENTS_START", "0")
	hidden := map[string]string{}
	for _, name := range []string{"STREAM_EVENTS_DROP", "STREAM_EVENTS_HASH", "STREAM_EVENTS_MASK"} {
		hidden[name] = b.environ[name]
		delete(b.environ, name)
	}
	b.runOnce(0)
	maps.Copy(b.environ, hidden)
	b.set("STREAM_EVENTS_TOPIC", b.prefix+"others")
	out, _ := b.run("check")
	expectText(t, out, "Kafka still has their earlier cells: topic "+b.prefix+"events rows", "delete topic "+b.prefix+"events when its consumers read "+b.prefix+"others")
	if strings.Contains(out, "--topic "+b.prefix+"others;") {
		t.Errorf("records of the new topic are to be deleted:\n%s", out)
	}
}

// TestPrivacy_KeyChanges: with another key the stream is halted before any call. With the former
// key it continues without changes; resume accepts the new key, and publishes the days in reach
// again.
func TestPrivacy_KeyChanges(t *testing.T) {
	t.Parallel()
	b, calls := newPrivate(t, func() string { return privacyHeader + "\n" + privacyLine("u1", "a") + "\n" })
	b.runOnce(0)
	former := b.environ["PRIVACY_KEY_FILE"]
	other := writeKey(t, strings.Repeat("another key ", 4))
	published, made := b.values(), calls.Load()

	b.set("PRIVACY_KEY_FILE", other)
	log := b.runOnce(3)
	expectText(t, log, `"code":"privacy_key"`, "PRIVACY_KEY_FILE holds the key")
	if calls.Load() != made || !cmp.Equal(published, b.values()) {
		t.Errorf("%d calls with a wrong key, values %v", calls.Load()-made, b.values())
	}
	out, _ := b.run("status")
	expectText(t, out, "halted: cells were hashed with the key ", "PRIVACY_KEY_FILE")
	out, got := b.run("check")
	if expectText(t, out, "fail  stream events: run halts it"); got.Code != 1 {
		t.Errorf("check: exit %d: %s", got.Code, out)
	}

	b.set("PRIVACY_KEY_FILE", former)
	if log := b.runOnce(0); strings.Contains(log, "published again") || strings.Contains(log, "privacy_key") {
		t.Errorf("the log has a warning or an error with the former key:\n%s", log)
	}
	if diff := cmp.Diff(published, b.values()); diff != "" {
		t.Errorf("values with the former key (-before +after):\n%s", diff)
	}

	b.set("PRIVACY_KEY_FILE", other)
	b.runOnce(3)
	b.command(nil, "resume", "events", "--wait", "0s")
	expectText(t, b.runOnce(0), "its days in reach are published again")
	if got := b.values(); len(got) != 2 {
		t.Errorf("values after the rotation: %v", got)
	} else {
		for value, n := range got {
			if n != 3 {
				t.Errorf("%d times %s", n, value)
			}
		}
	}
	b.runOnce(0)
	if got := b.values(); len(got) != 2 {
		t.Errorf("values of another run: %v", got)
	}
}

// TestPrivacy_Columns: if the header lacks a column to be hidden, the stream is halted before
// anything is published, and likewise if a column was renamed. Headers that only differ between
// days are accepted, and resume accepts any header.
func TestPrivacy_Columns(t *testing.T) {
	t.Parallel()
	var header atomic.Pointer[string]
	set := func(text string) { header.Store(&text) }
	set(privacyHeader)
	b, _ := newPrivate(t, func() string {
		cells := strings.Split(privacyLine("u1", "a"), ",")
		return *header.Load() + "\n" + strings.Join(cells[:strings.Count(*header.Load(), ",")+1], ",") + "\n"
	})
	b.set("STREAM_EVENTS_DROP", "fone", "STREAM_EVENTS_START", "0")
	b.pollEvery("4ms") // today is due at each start
	expectText(t, b.runOnce(3), `"code":"privacy_columns"`, `\"fone\"`, "no header was accepted with these lists yet")
	if n := len(b.values()); n != 0 {
		t.Fatalf("%d values were published with a misspelt name", n)
	}
	b.set("STREAM_EVENTS_DROP", "phone")
	b.command(nil, "resume", "events", "--wait", "0s") // must not accept the header for other lists
	b.runOnce(0)
	if got := b.values(); len(got) != 1 {
		t.Fatalf("values %v", got)
	}
	set("df_unified_id,event_name,df_name") // a day with fewer columns
	b.runOnce(0)
	renamed := strings.Replace(privacyHeader, "phone", "mobile", 1)
	set(renamed)
	log := b.runOnce(3)
	expectText(t, log, `"code":"privacy_columns"`, `\"phone\"`, "new are its columns 4,")
	if strings.Contains(log, "mobile") {
		t.Errorf("the log names a column of a refused header:\n%s", log)
	}
	for value := range b.values() {
		if strings.Contains(value, "mobile") || strings.Contains(value, hiddenPhone) {
			t.Errorf("published: %s", value)
		}
	}
	if codes := b.deadLettersByCode(); codes[schema.PrivacyColumns] != 2 {
		t.Errorf("letters %v", codes)
	}
	b.command(nil, "resume", "events", "--wait", "0s")
	b.runOnce(0)
	name := hashed("df_name", hiddenName)
	if n := b.values()[`{"df_unified_id":"u1","event_name":"open","df_name":"`+name+`","mobile":"`+hiddenPhone+`","city":"***","memo":"a"}`]; n != 1 {
		t.Errorf("the accepted header's row is in the topic %d times: %v", n, b.values())
	}
	b.runOnce(0)
}

// TestPrivacy_Replay: the replay of a redacted row's dead letter exports its day again, and
// says so.
func TestPrivacy_Replay(t *testing.T) {
	t.Parallel()
	memo := strings.Repeat("0123456789", 150)
	b, calls := newPrivate(t, func() string {
		return privacyHeader + "\n" + privacyLine("u1", "a") + "\n" + privacyLine("u2", memo) + "\n"
	})
	b.set("STREAM_EVENTS_START", "0", "KAFKA_COMPRESSION", "none")
	b.createTopic("events", 1, map[string]string{"max.message.bytes": "1000"})
	b.runOnce(0)
	before := calls.Load()
	b.setTopicConfig("events", "max.message.bytes", "1000000")
	p := b.start("run")
	p.await(isOwner)
	out, got := b.run("dlq", "replay", "--code", "too_large")
	if got.Code != 0 {
		t.Fatalf("replay: exit %d: %s%s", got.Code, out, got.Stderr)
	}
	p.await("1 day exported again, among them those of row letters whose copies can't be published")
	p.kill()
	if calls.Load() == before {
		t.Error("no call was made")
	}
	name := hashed("df_name", hiddenName)
	want := map[string]int{
		`{"df_unified_id":"u1","event_name":"open","df_name":"` + name + `","city":"***","memo":"a"}`:            1,
		`{"df_unified_id":"u2","event_name":"open","df_name":"` + name + `","city":"***","memo":"` + memo + `"}`: 1,
	}
	if diff := cmp.Diff(want, b.values()); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

// TestPrivacy_Raw: the contents of dead letters for each DEAD_LETTER_RAW, and that a replay of a
// complete copy publishes the public row.
func TestPrivacy_Raw(t *testing.T) {
	t.Parallel()
	bad := "u3,open"
	memo := strings.Repeat("0123456789", 150)
	large := privacyLine("u2", memo)
	name := hashed("df_name", hiddenName)
	for raw, want := range map[string]map[schema.Code]string{
		"full": {schema.FieldCount: bad, schema.TooLarge: large}, "redacted": {schema.FieldCount: "", schema.TooLarge: "u2,open," + name + ",***," + memo},
		"none": {schema.FieldCount: "", schema.TooLarge: ""},
	} {
		t.Run(raw, func(t *testing.T) {
			t.Parallel()
			b, _ := newPrivate(t, func() string {
				return privacyHeader + "\n" + privacyLine("u1", "a") + "\n" + bad + "\n" + large + "\n" + privacyLine("u1", "a") + "\n"
			})
			b.set("STREAM_EVENTS_START", "0", "KAFKA_COMPRESSION", "none", "DEAD_LETTER_RAW", raw)
			b.createTopic("events", 1, map[string]string{"max.message.bytes": "1000"})
			b.runOnce(0)
			got := map[schema.Code]string{}
			for _, l := range b.deadLetters() {
				got[l.Error.Code] = l.Row.Raw
				if l.Redacted == (raw == "full") {
					t.Errorf("redacted: %v", l.Redacted)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("raw (-want +got):\n%s", diff)
			}
			if raw != "full" {
				return
			}
			b.setTopicConfig("events", "max.message.bytes", "1000000")
			p := b.start("run")
			p.await(isOwner)
			if out, got := b.run("dlq", "replay", "--code", "too_large"); got.Code != 0 {
				t.Fatalf("replay: exit %d: %s%s", got.Code, out, got.Stderr)
			}
			p.kill()
			if n := b.values()[`{"df_unified_id":"u2","event_name":"open","df_name":"`+name+`","city":"***","memo":"`+memo+`"}`]; n != 1 {
				t.Errorf("the row is in the topic %d times", n)
			}
		})
	}
}

// TestPrivacy_Formats: in every format a hashed or masked column is a string, whatever its type,
// and a dropped one has no field.
func TestPrivacy_Formats(t *testing.T) {
	t.Parallel()
	const header = "df_unified_id,event_name,df_birth,df_push_optin,visits,df_total_purchase_amount"
	b, _ := newPrivate(t, func() string { return header + "\nu1,open,1990-01-01,true,7,12.5\n" })
	b.set("STREAM_EVENTS_START", "0", "STREAM_EVENTS_FORMAT", "json-typed", "STREAM_EVENTS_COLUMNS", "visits:long", "STREAM_EVENTS_DROP", "df_total_purchase_amount",
		"STREAM_EVENTS_HASH", "df_birth,visits", "STREAM_EVENTS_MASK", "df_push_optin")
	b.runOnce(0)
	want := map[string]int{fmt.Sprintf(`{"df_unified_id":"u1","event_name":"open","df_birth":"%s","df_push_optin":"***","visits":"%s"}`, hashed("df_birth", "1990-01-01"), hashed("visits", "7")): 1}
	if diff := cmp.Diff(want, b.values()); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	out, got := b.run("preview", "events", "--day", currentDay().String(), "--json")
	var view struct {
		Columns []struct {
			Name, Type string
			Hidden     bool
			Candidates []json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(out), &view); err != nil || got.Code != 0 {
		t.Fatalf("preview: exit %d, %v: %s", got.Code, err, out)
	}
	hiddenTypes := map[string]string{}
	for _, c := range view.Columns {
		if c.Hidden {
			hiddenTypes[c.Name] = c.Type
			if len(c.Candidates) > 0 {
				t.Errorf("preview shows types of the cells of %s: %s", c.Name, out)
			}
		}
		if c.Name == "df_total_purchase_amount" {
			t.Errorf("preview shows a dropped column: %s", out)
		}
	}
	if diff := cmp.Diff(map[string]string{"df_birth": "string", "df_push_optin": "string", "visits": "string"}, hiddenTypes); diff != "" {
		t.Errorf("hidden columns (-want +got):\n%s", diff)
	}
	// A column with another type in the topic needs another name.
	b.set("STREAM_EVENTS_MASK", "", "STREAM_EVENTS_TOPIC", b.prefix+"typed")
	b.runOnce(0)
	b.set("STREAM_EVENTS_MASK", "df_push_optin")
	expectText(t, b.runOnce(3), `"code":"schema_changed"`)
}

// TestPrivacy_RawWithoutLists: DEAD_LETTER_RAW also applies to streams that hide nothing. With
// redacted, dead letters have rows that could be parsed, but no answers.
func TestPrivacy_RawWithoutLists(t *testing.T) {
	t.Parallel()
	b, _ := newAnswering(t, func(back, call int) answer {
		if back == 1 && call == 0 {
			return answer{status: 500, body: "sorry, " + hiddenName}
		}
		return csvOf("text/csv", "df_unified_id,memo\nu1,a\nu2\n,no key\nu3,b\n")
	})
	b.set("STREAM_EVENTS_START", "1", "DEAD_LETTER_RAW", "redacted")
	b.pollEvery("1h")
	b.runOnce(0)
	raw := map[schema.Code]string{}
	for _, l := range b.deadLetters() {
		if l.Kind == schema.KindExport {
			if raw[l.Error.Code] = l.Error.Body; strings.Contains(l.Error.Detail+l.Error.Message, hiddenName) {
				t.Errorf("letter of the export: %+v", l.Error)
			}
			continue
		}
		raw[l.Error.Code] = l.Row.Raw
	}
	if diff := cmp.Diff(map[schema.Code]string{"http_500": "", schema.FieldCount: "", schema.EmptyKey: ",no key"}, raw); diff != "" {
		t.Errorf("raw (-want +got):\n%s", diff)
	}
}
