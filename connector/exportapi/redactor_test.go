package exportapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"dfinery-kafka/schema"
)

// TestScrubber_TokenWithEscapes: tokens that contain escape sequences are found, even if they
// were escaped several times.
func TestScrubber_TokenWithEscapes(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	inJSON := func(s string) string {
		b, _ := json.Marshal(s)
		return string(b[1 : len(b)-1])
	}
	escapes := map[string]func(string) string{
		"as is": func(s string) string { return s }, "JSON": inJSON, "query": url.QueryEscape, "path": url.PathEscape, "HTML": html.EscapeString,
		"CSV": func(s string) string { return strings.ReplaceAll(s, `"`, `""`) },
		"Go":  func(s string) string { q := fmt.Sprintf("%q", s); return q[1 : len(q)-1] },
	}
	pieces := []string{"%41", "%2F", "%25", "%", `"`, `\`, `\"`, `\\`, `\u0041`, "&amp;", "&", `""`, "+", "/", "Q", "z", "7", "wX", "-pK"}
	for range 3000 {
		token := "k9" + string(rune('a'+rng.IntN(26))) + "Zr"
		for range 2 + rng.IntN(6) {
			token += pieces[rng.IntN(len(pieces))]
		}
		token += "v3Tm"
		echo, how := token, ""
		for range rng.IntN(4) {
			for name, escape := range escapes {
				echo, how = escape(echo), how+" "+name
				break
			}
		}
		s := newRedactor(schema.Secret(token))
		for _, around := range []string{"%s", `{"message":"no such token: %s, sorry"}`, "u1,open,%s,x\n"} {
			clean := string(s.bytes([]byte(fmt.Sprintf(around, echo))))
			if want := fmt.Sprintf(around, schema.Redacted); clean != want {
				t.Fatalf("token %q, echoed%s: %q, want %q", token, how, clean, want)
			}
		}
	}
}

// TestScrubber_Readings: ordinary text is not redacted because of a token that consists of escape
// sequences, whose unescaped form is short.
func TestScrubber_Readings(t *testing.T) {
	s := newRedactor("%41%42%43%44")
	text := []byte("ABCD, and %41%42%43 as well")
	if clean := s.bytes(text); !bytes.Equal(clean, text) {
		t.Errorf("%q became %q", text, clean)
	}
	if clean := s.bytes([]byte("%2541%2542%2543%2544")); string(clean) != schema.Redacted {
		t.Errorf("escaped, it is %q", clean)
	}
}

// BenchmarkScrubber takes the token out of a row that does not have it.
func BenchmarkScrubber(b *testing.B) {
	s := newRedactor("0b7c9d2e-4f61-4a83-9b15-c2d8e7f60a94")
	row := []byte(strings.Repeat(`u000000855,custom_event_17,2.1,2026-11-23T10:58:14.589Z,"{""a"":""b""}",50%,iPhone15 3`, 5))
	b.SetBytes(int64(len(row)))
	for b.Loop() {
		s.bytes(row)
	}
}
