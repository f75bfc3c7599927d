package exportapi_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"dfinery-kafka/schema"
)

// echoes returns the forms in which a server may send the token back.
func echoes() map[string]string {
	asJSON, _ := json.Marshal(token)
	unicode, percent, hex, numeric := "", "", "", ""
	for _, c := range []byte(token) {
		unicode += fmt.Sprintf(`\u%04x`, c)
		percent += fmt.Sprintf("%%%02x", c)
		hex += fmt.Sprintf(`\x%02X`, c)
		numeric += fmt.Sprintf("&#%d;", c)
	}
	doubly, _ := json.Marshal(string(asJSON))
	bearer := base64.StdEncoding.EncodeToString([]byte("Bearer " + token))
	return map[string]string{
		"as is": token, "upper": strings.ToUpper(token), "lower": strings.ToLower(token), "JSON": string(asJSON), "JSON in JSON": string(doubly),
		"quoted": fmt.Sprintf("%q", token), "unicode": unicode, "query": url.QueryEscape(token), "path": url.PathEscape(token), "percent": percent,
		"percent twice": url.QueryEscape(percent), "hex": hex, "HTML": html.EscapeString(token), "HTML twice": html.EscapeString(html.EscapeString(token)),
		"numeric": numeric, "slashes": strings.ReplaceAll(token, "/", `\/`),
		"base64": base64.StdEncoding.EncodeToString([]byte(token)), "base64 of the header": bearer, "base64 for URLs": base64.RawURLEncoding.EncodeToString([]byte("x" + token + "y")),
		"escaped base64": url.QueryEscape(bearer), "doubled quotes": strings.ReplaceAll(token, `"`, `""`),
	}
}

// containsToken reports whether a text has a part of the token, in any of these forms, from
// which it could be guessed.
func containsToken(text string) bool {
	lower := strings.ToLower(text)
	for _, part := range []string{"s3cret", "t0ken", "letters", `\u0033`, "%33", "%2533", `\x33`, "&#51;"} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	forURLs := strings.NewReplacer("+", "-", "/", "_", "%2B", "-", "%2F", "_").Replace(text)
	for shift := range 3 {
		encoded := base64.RawURLEncoding.EncodeToString(append(make([]byte, shift), token...))
		for at := 4; at+6 < len(encoded)-4; at++ {
			if strings.Contains(forURLs, encoded[at:at+6]) {
				return true
			}
		}
	}
	return false
}

// printed returns everything that could be printed of a failure.
func printed(t *testing.T, err error) string {
	t.Helper()
	var f *schema.Failure
	if !errors.As(err, &f) {
		t.Fatalf("%v is not a failure", err)
	}
	text := fmt.Sprintf("%v %+v %#v %s %s %q", f, *f, *f, f.Body, f.Detail, f.Headers)
	for err := error(f); err != nil; err = errors.Unwrap(err) {
		text += fmt.Sprintf(" %v %+v %#v", err, err, err)
	}
	return text
}

func TestEchoedToken(t *testing.T) {
	for form, echo := range echoes() {
		if !containsToken(echo) {
			t.Fatalf("%s: containsToken does not find the token in %s", form, echo)
		}
		for _, c := range []struct {
			name    string
			handler http.HandlerFunc
		}{
			{"in a failure's body", answer(502, "text/plain", "you sent Bearer "+echo+", sorry")},
			{"in a message", answer(500, "application/json", `{"result":"fail","message":`+quoted("bad "+echo)+`}`)},
			{"in a body cut within it", answer(502, "text/plain", "you sent "+echo[:len(echo)-2])},
			{"far behind", answer(502, "text/plain", strings.Repeat("x", schema.MaxCopy-len(echo)/2)+echo)},
			{"in headers", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Request-Id", echo)
				w.Header().Set("Location", "https://other.example/?t="+echo)
				w.WriteHeader(302)
			}},
			{"in the header line", answer(200, "", "other,"+strings.ReplaceAll(echo, `"`, "")+"\n")},
		} {
			t.Run(form+"/"+c.name, func(t *testing.T) {
				if strings.HasPrefix(c.name, "in the header") && !containsToken(strings.ReplaceAll(echo, `"`, "")) {
					t.Skip("without its quotes it is not the token")
				}
				_, err := client(serve(t, c.handler)).Export(t.Context(), export(t))
				if text := printed(t, err); c.name != "in the header line" && containsToken(text) {
					t.Errorf("%s", text)
				}
			})
		}
	}
}

func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}

// TestEchoedTokenInTransportError: if a server sends the request's headers in a line that is
// not HTTP, the transport's error quotes the line. The token is redacted there.
func TestEchoedTokenInTransportError(t *testing.T) {
	_, err := client(rawServer(t, func() []byte { return []byte("HTTP/1.1 2x0 " + token + "\r\n\r\n") })).Export(t.Context(), export(t))
	if text := printed(t, err); containsToken(text) {
		t.Errorf("%s", text)
	}
	_, err = client(rawServer(t, func() []byte { return []byte("you-sent-" + url.QueryEscape(token) + "\r\n\r\n") })).Export(t.Context(), export(t))
	if text := printed(t, err); containsToken(text) || !strings.Contains(text, "you-sent-[redacted]") {
		t.Errorf("%s", text)
	}
}

// TestRedact: Redact redacts the tokens of all calls so far in rows.
func TestRedact(t *testing.T) {
	c := client(serve(t, answer(200, "", "id,v\n1,2,"+url.QueryEscape(token)+"\n")))
	body, err := c.Export(t.Context(), export(t))
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	_, err = body.Next()
	var bad *schema.BadRow
	if !errors.As(err, &bad) || containsToken(bad.Error()) {
		t.Fatalf("bad row %+v", bad)
	}
	for range 3 {
		if clean := string(c.Redact(bad.Raw)); clean != "1,2,[redacted]" {
			t.Errorf("redacted: %q", clean)
		}
		c.Token = func() (schema.Secret, error) {
			return schema.Secret(fmt.Sprintf("another-token-%d", rand.Uint32())), nil
		}
		another, err := c.Export(t.Context(), export(t))
		if err != nil {
			t.Fatal(err)
		}
		another.Close()
	}
	if _, err := body.Next(); err != io.EOF {
		t.Errorf("then %v", err)
	}
}

// TestBaseURLPassword: a password in the base URL is not in errors or logs.
func TestBaseURLPassword(t *testing.T) {
	for _, login := range []string{"http://user:sesame@", "http://user:sesame%zz@"} {
		failing := client(strings.Replace(serve(t, answer(500, "", "no")), "http://", login, 1))
		_, err := failing.Export(t.Context(), export(t))
		if text := printed(t, err); strings.Contains(text, "sesame") {
			t.Error(text)
		}
	}
	body, err := client(strings.Replace(serve(t, answer(200, "", "id\n")), "http://", "http://user:sesame@", 1)).Export(t.Context(), export(t))
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if url := body.Request().URL; strings.Contains(url, "sesame") || !strings.Contains(url, "/api/v1/export/event?service_id=1234") {
		t.Error(url)
	}
}

// TestToken: with a token that is missing or invalid no call is made.
func TestToken(t *testing.T) {
	for _, c := range []struct {
		name  string
		token schema.Secret
		err   error
		want  string
	}{
		{"unread", "", errors.New("open token: no such file"), "open token: no such file"},
		{"empty", "", nil, "it is empty"},
		{"newline", "s3cret\n", nil, "it contains a control character, perhaps a newline"},
	} {
		t.Run(c.name, func(t *testing.T) {
			calls := 0
			api := client(serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls++ })))
			api.Token = func() (schema.Secret, error) { return c.token, c.err }
			f := run(t, api, export(t)).Failure
			if f == nil || f.Code != schema.UnauthorizedToken || f.Class != schema.Unauthorized || f.Message != c.want || calls != 0 || containsToken(printed(t, f)) {
				t.Errorf("failure %+v after %d calls", f, calls)
			}
		})
	}
}
