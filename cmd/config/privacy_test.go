package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/schema/privacy"
)

const privacySecret = "c4n4ry-pr1v4cy-k3y-0123456789abcdef"

func TestPrivacyFaults(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "key", privacySecret+"\n")
	writeFile(t, dir, "short", privacySecret[:31]+"\n")
	writeFile(t, dir, "utf16", "\xff\xfe"+strings.Join(strings.Split(privacySecret, ""), "\x00")+"\x00\n\x00")
	writeFile(t, dir, "bom", "\ufeff"+privacySecret+"\n")
	writeFile(t, dir, "large", strings.Repeat("x", 70_000))
	const needed = " is set; openssl rand -base64 48 > FILE generates a key"
	tests := map[string]struct {
		set  map[string]string
		want string
	}{
		"no key, drop": {map[string]string{"STREAM_EVENTS_DROP": "a"}, "PRIVACY_KEY_FILE: is required: STREAM_EVENTS_DROP" + needed},
		"no key, hash": {map[string]string{"STREAM_EVENTS_HASH": "a"}, "PRIVACY_KEY_FILE: is required: STREAM_EVENTS_HASH" + needed},
		"no key, mask": {map[string]string{"STREAM_EVENTS_MASK": "a"}, "PRIVACY_KEY_FILE: is required: STREAM_EVENTS_MASK" + needed},
		"no such file": {map[string]string{"STREAM_EVENTS_MASK": "a", "PRIVACY_KEY_FILE": "DIR/absent"}, "PRIVACY_KEY_FILE: names a file that can't be used: DIR/absent: no such file or directory"},
		"key too short": {map[string]string{"STREAM_EVENTS_MASK": "a", "PRIVACY_KEY_FILE": "DIR/short"},
			"PRIVACY_KEY_FILE: names a file that can't be used: DIR/short holds a key of 31 bytes, at least 32 are needed: openssl rand -base64 48 makes one"},
		"key too large":   {map[string]string{"PRIVACY_KEY_FILE": "DIR/large"}, "PRIVACY_KEY_FILE: names a file that can't be used: DIR/large is too large for a secret"},
		"key with a mark": {map[string]string{"PRIVACY_KEY_FILE": "DIR/bom"}, "PRIVACY_KEY_FILE: names a file that can't be used: DIR/bom starts with a byte order mark: save it as UTF-8 without one"},
		"key in UTF-16":   {map[string]string{"PRIVACY_KEY_FILE": "DIR/utf16"}, "PRIVACY_KEY_FILE: names a file that can't be used: DIR/utf16 is in UTF-16 or contains a NUL character: save it as UTF-8 without a byte order mark"},
		"in two lists, each pair": {map[string]string{"STREAM_EVENTS_DROP": "a,b", "STREAM_EVENTS_HASH": "b,c", "STREAM_EVENTS_MASK": "a,c", "PRIVACY_KEY_FILE": "DIR/key"},
			`STREAM_EVENTS_HASH: names "b", which STREAM_EVENTS_DROP names, too: keep only one of them
STREAM_EVENTS_MASK: names "a", which STREAM_EVENTS_DROP names, too: keep only one of them
STREAM_EVENTS_MASK: names "c", which STREAM_EVENTS_HASH names, too: keep only one of them`},
		"twice in one": {map[string]string{"STREAM_EVENTS_DROP": "a,a", "PRIVACY_KEY_FILE": "DIR/key"}, `STREAM_EVENTS_DROP: names "a" twice`},
		"key column": {map[string]string{"STREAM_EVENTS_DROP": "df_unified_id", "PRIVACY_KEY_FILE": "DIR/key"},
			`STREAM_EVENTS_DROP: names "df_unified_id", which is the stream's key: only STREAM_EVENTS_HASH can hide it`},
		"key column masked": {map[string]string{"STREAM_EVENTS_MASK": "user", "STREAM_EVENTS_KEY": "user", "PRIVACY_KEY_FILE": "DIR/key"},
			`STREAM_EVENTS_MASK: names "user", which is the stream's key: only STREAM_EVENTS_HASH can hide it`},
		"event_name": {map[string]string{"STREAM_EVENTS_DROP": "event_name", "PRIVACY_KEY_FILE": "DIR/key"},
			`STREAM_EVENTS_DROP: names "event_name", which requests, slices of days and the ledger contain: it can't be hidden`},
		"event_name hashed": {map[string]string{"STREAM_EVENTS_HASH": "event_name", "PRIVACY_KEY_FILE": "DIR/key"},
			`STREAM_EVENTS_HASH: names "event_name", which requests, slices of days and the ledger contain: it can't be hidden`},
		"raw": {map[string]string{"DEAD_LETTER_RAW": "some"}, `DEAD_LETTER_RAW: "some" is none of full, redacted, none`},
		"misspelt": {map[string]string{"PRIVACY_KEYFILE": "x", "STREAM_EVENTS_HASHES": "x"},
			"PRIVACY_KEYFILE: unknown variable: did you mean PRIVACY_KEY_FILE?\nSTREAM_EVENTS_HASHES: unknown variable: did you mean STREAM_EVENTS_HASH?"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			setenv(t, dir, test.set)
			c, _, err := config.Load()
			if err == nil || c != nil {
				t.Fatalf("Load() = %+v, %v; want no configuration and an error", c, err)
			}
			if diff := cmp.Diff(strings.ReplaceAll(test.want, "DIR", dir), err.Error()); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
			if strings.Contains(err.Error(), "c4n4ry") {
				t.Errorf("a secret is shown: %v", err)
			}
		})
	}
}

func TestPrivacyWarnings(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "key", privacySecret+"\n")
	const clear = "personal columns are published in the clear: "
	const instead = ". If they must not be in Kafka, leave them out by STREAM_EVENTS_EXCLUDE_PROPERTIES, or name them in STREAM_EVENTS_DROP, HASH or MASK"
	profiles := func(more ...string) map[string]string {
		set := map[string]string{"STREAM_EVENTS_EXPORT": "userprofile"}
		for i := 0; i < len(more); i += 2 {
			set[more[i]] = more[i+1]
		}
		return set
	}
	tests := map[string]struct {
		set  map[string]string
		want []config.Finding
	}{
		"events":   {nil, nil},
		"profiles": {profiles(), []config.Finding{{"STREAM_EVENTS_HASH", clear + "df_name, df_birth, df_gender, df_external_id" + instead}}},
		"profiles, some hidden": {profiles("STREAM_EVENTS_DROP", "df_name", "STREAM_EVENTS_HASH", "df_external_id", "STREAM_EVENTS_MASK", "df_birth", "PRIVACY_KEY_FILE", "DIR/key"),
			[]config.Finding{{"STREAM_EVENTS_HASH", clear + "df_gender" + instead}}},
		"profiles, some left out":    {profiles("STREAM_EVENTS_EXCLUDE_PROPERTIES", "df_name,df_birth"), []config.Finding{{"STREAM_EVENTS_HASH", clear + "df_gender, df_external_id" + instead}}},
		"profiles, others asked for": {profiles("STREAM_EVENTS_PROPERTIES", "df_membership"), nil},
		"events, asked for":          {map[string]string{"STREAM_EVENTS_PROPERTIES": "df_name"}, []config.Finding{{"STREAM_EVENTS_HASH", clear + "df_name" + instead}}},
		"hidden and left out": {map[string]string{"STREAM_EVENTS_HASH": "phone", "STREAM_EVENTS_EXCLUDE_PROPERTIES": "phone,df_external_id", "PRIVACY_KEY_FILE": "DIR/key"},
			[]config.Finding{{"STREAM_EVENTS_HASH", `names "phone", which the stream's properties exclude: the stream is halted until its first header without that column is accepted`}}},
		"key without lists": {map[string]string{"PRIVACY_KEY_FILE": "DIR/key"}, []config.Finding{{"PRIVACY_KEY_FILE", "has no effect: no stream has DROP, HASH or MASK"}}},
		"full letters": {map[string]string{"STREAM_EVENTS_HASH": "df_external_id", "DEAD_LETTER_RAW": "full", "PRIVACY_KEY_FILE": "DIR/key"},
			[]config.Finding{{"DEAD_LETTER_RAW", "is full: the dead letters of rows and exports contain cells that STREAM_EVENTS_HASH hides"}}},
		"header of a dropped column": {map[string]string{"STREAM_EVENTS_DROP": "df_external_id", "STREAM_EVENTS_HEADERS": "df_external_id", "PRIVACY_KEY_FILE": "DIR/key"},
			[]config.Finding{{"STREAM_EVENTS_HEADERS", `names "df_external_id", which STREAM_EVENTS_DROP drops: no record has that header`}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			setenv(t, dir, test.set)
			c, report, err := config.Load()
			if err != nil {
				t.Fatal(err)
			}
			report.WarnOfPersonal(c)
			if diff := cmp.Diff(test.want, report.Warnings, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPrivacyKey: a key is any 32 bytes, text or binary. One line end after them is ignored.
func TestPrivacyKey(t *testing.T) {
	dir := t.TempDir()
	binary := "\x00\xff\xfe\r\n\n0123456789-0123456789-0123\x80\r"
	for name, test := range map[string]struct{ file, key string }{
		"bytes": {binary, binary}, "bytes with a line end": {binary + "\n", strings.TrimSuffix(binary, "\r")}, "text": {privacySecret, privacySecret},
		"line": {privacySecret + "\n", privacySecret}, "Windows line": {privacySecret + "\r\n", privacySecret}, "two line ends": {privacySecret + "\n\n", privacySecret + "\n"},
		"lines": {privacySecret + "\n" + privacySecret + "\n", privacySecret + "\n" + privacySecret},
	} {
		t.Run(name, func(t *testing.T) {
			writeFile(t, dir, "key", test.file)
			setenv(t, dir, map[string]string{"STREAM_EVENTS_DROP": "phone", "PRIVACY_KEY_FILE": "DIR/key"})
			c, _, err := config.Load()
			if err != nil {
				t.Fatal(err)
			}
			want, err := privacy.NewKey([]byte(test.key))
			if err != nil {
				t.Fatal(err)
			}
			if !c.Privacy.Key.Equal(want) {
				t.Error("another key was read")
			}
		})
	}
}

// TestPrivacyRead: the configured lists and key, and the default of DEAD_LETTER_RAW for each
// stream.
func TestPrivacyRead(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "key", privacySecret+"\r\n")
	setenv(t, dir, map[string]string{
		"STREAMS": "events,users", "STREAM_EVENTS_DROP": "phone, 이름", "STREAM_EVENTS_HASH": "df_external_id,df_unified_id", "STREAM_EVENTS_MASK": "city", "PRIVACY_KEY_FILE": "DIR/key",
	})
	c, report, err := config.Load()
	if err != nil {
		t.Fatal(err)
	}
	events := &c.Streams[0]
	if diff := cmp.Diff([]config.List{{"phone", "이름"}, {"df_external_id", "df_unified_id"}, {"city"}}, []config.List{events.Drop, events.Hash, events.Mask}); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
	if id := c.Privacy.Key.ID(); len(id) != 8 {
		t.Errorf("key id %q", id)
	}
	raw := c.Publish.DeadLetterRaw
	if a, b := raw.Of(events), raw.Of(&c.Streams[1]); a != config.RawRedacted || b != config.RawFull {
		t.Errorf("raw is %s for a stream with lists, %s for one without", a, b)
	}
	if a := config.RawNone.Of(events); a != config.RawNone {
		t.Errorf("raw none is %s", a)
	}
	for _, v := range report.Variables {
		if strings.Contains(v.Value, "c4n4ry-pr1v4cy") {
			t.Errorf("%s shows the key", v.Name)
		}
	}
}
