package registry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/registry"
)

const text = `{"type":"record","name":"events","fields":[]}`

var events = registry.Schema{Subject: "dfinery.events-value", Type: sr.TypeAvro, Text: text}

func newClient(t *testing.T, c registry.Config) *registry.Client {
	t.Helper()
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	client, err := registry.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// answering starts a registry that gives the same answer to every request.
func answering(t *testing.T, status int, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestClient_RegisterAndLookup(t *testing.T) {
	t.Parallel()
	fake := srfake.New()
	t.Cleanup(fake.Close)
	c := newClient(t, registry.Config{URLs: []string{fake.URL()}})
	ctx := context.Background()
	_, err := c.Lookup(ctx, &events)
	if e := asError(t, err); e.Code != schema.SchemaUnknown || e.Wait {
		t.Errorf("look up an unknown schema: %v", err)
	}
	id, err := c.Register(ctx, &events)
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.Register(ctx, &events)
	if err != nil || again != id {
		t.Errorf("registered again: id %d, %v, want %d", again, err, id)
	}
	found, err := c.Lookup(ctx, &events)
	if err != nil || found != id {
		t.Errorf("looked up: id %d, %v, want %d", found, err, id)
	}
	if err := c.Ping(ctx); err != nil {
		t.Error(err)
	}
}

func TestClient_LookupOnlyRegistersNothing(t *testing.T) {
	t.Parallel()
	fake := srfake.New()
	t.Cleanup(fake.Close)
	c := newClient(t, registry.Config{URLs: []string{fake.URL()}, LookupOnly: true})
	_, err := c.Register(context.Background(), &events)
	if e := asError(t, err); e.Code != schema.SchemaUnknown {
		t.Errorf("%v, want code %s", err, schema.SchemaUnknown)
	}
	if fake.SubjectExists(events.Subject) {
		t.Error("the schema was registered")
	}
}

func asError(t *testing.T, err error) *registry.Error {
	t.Helper()
	var e *registry.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is not a *registry.Error", err)
	}
	return e
}

// TestClient_Outcomes: whether an answer means to wait, or a halt and its code.
func TestClient_Outcomes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		body   string
		code   schema.Code
		wait   bool
	}{
		"incompatible":               {409, `{"error_code":409,"message":"Schema being registered is incompatible"}`, schema.SchemaIncompatible, false},
		"invalid schema":             {422, `{"error_code":42201,"message":"Invalid schema"}`, schema.SchemaRefused, false},
		"no subject":                 {404, `{"error_code":40401,"message":"Subject not found"}`, schema.SchemaUnknown, false},
		"no schema":                  {404, `{"error_code":40403,"message":"Schema not found"}`, schema.SchemaUnknown, false},
		"a proxy's 404":              {404, "<html>no such page</html>", "", true},
		"unauthorized":               {401, `{"error_code":40101,"message":"Unauthorized"}`, "", true},
		"forbidden":                  {403, `{"error_code":40301,"message":"Forbidden"}`, "", true},
		"too many requests":          {429, "", "", true},
		"unavailable":                {503, `{"error_code":50301,"message":"no leader"}`, "", true},
		"no JSON":                    {200, "<html>welcome</html>", "", true},
		"no id":                      {200, `{}`, "", true},
		"id 0":                       {200, `{"id":0}`, "", true},
		"a redirect":                 {302, "", "", true},
		"an answer without an end":   {200, strings.Repeat(" ", 5<<20), "", true},
		"an error without an end":    {500, strings.Repeat("x", 5<<20), "", true},
		"a negative id":              {200, `{"id":-7}`, "", true},
		"an id that is no 32-bit id": {200, `{"id":4294967303}`, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, registry.Config{URLs: []string{answering(t, test.status, test.body)}})
			_, err := c.Register(context.Background(), &events)
			e := asError(t, err)
			if e.Code != test.code || e.Wait != test.wait {
				t.Errorf("code %q, wait %t (%v), want %q, %t", e.Code, e.Wait, err, test.code, test.wait)
			}
			if !strings.Contains(err.Error(), events.Subject) || len(err.Error()) > 1000 {
				t.Errorf("the error does not say what to do: %v", err)
			}
		})
	}
}

// TestClient_NextURL: if one URL does not answer, or answers with a server error, the next one
// is used.
func TestClient_NextURL(t *testing.T) {
	t.Parallel()
	good := answering(t, 200, `{"id":7}`)
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, first := range []string{gone.URL, answering(t, 503, "")} {
		c := newClient(t, registry.Config{URLs: []string{first, good}})
		if id, err := c.Register(context.Background(), &events); err != nil || id != 7 {
			t.Errorf("id %d, %v, want 7", id, err)
		}
	}
	c := newClient(t, registry.Config{URLs: []string{answering(t, 409, "no"), good}})
	if id, err := c.Register(context.Background(), &events); err == nil {
		t.Errorf("a refusal is not final: id %d", id)
	}
}

// TestClient_Credentials: credentials are read for each request, and are not sent to another host.
func TestClient_Credentials(t *testing.T) {
	t.Parallel()
	leaked := make(chan string, 1)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { leaked <- r.Header.Get("Authorization") }))
	t.Cleanup(other.Close)
	var seen []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
		if len(seen) == 2 {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
			return
		}
		fmt.Fprint(w, `{"id":7}`)
	}))
	t.Cleanup(s.Close)
	n := 0
	c := newClient(t, registry.Config{URLs: []string{s.URL}, Authorize: func(r *http.Request) error {
		n++
		r.Header.Set("Authorization", fmt.Sprintf("Bearer token-%d", n))
		return nil
	}})
	if _, err := c.Register(context.Background(), &events); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Register(context.Background(), &events); err == nil {
		t.Error("a redirect was followed")
	}
	if strings.Join(seen, ",") != "Bearer token-1,Bearer token-2" {
		t.Errorf("credentials %q", seen)
	}
	select {
	case got := <-leaked:
		t.Errorf("another host received %q", got)
	default:
	}
}

// TestClient_Unauthorized: after the registry has refused the credentials, the next request
// uses new ones.
func TestClient_Unauthorized(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer token-2" {
				w.WriteHeader(status)
			}
			fmt.Fprint(w, `{"id":7}`)
		}))
		t.Cleanup(s.Close)
		n := 1
		c := newClient(t, registry.Config{
			URLs: []string{s.URL}, Unauthorized: func() { n++ },
			Authorize: func(r *http.Request) error {
				r.Header.Set("Authorization", fmt.Sprintf("Bearer token-%d", n))
				return nil
			},
		})
		if _, err := c.Register(context.Background(), &events); !asError(t, err).Wait {
			t.Errorf("%d: %v, want an error that waits", status, err)
		}
		if id, err := c.Register(context.Background(), &events); err != nil || id != 7 {
			t.Errorf("%d: id %d, %v with new credentials", status, id, err)
		}
	}
}

// TestClient_Silence: after a request that ran into its time limit, the next call fails at once,
// and makes no request.
func TestClient_Silence(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	t.Cleanup(s.Close)
	c := newClient(t, registry.Config{URLs: []string{s.URL}, Timeout: time.Second})
	var texts []string
	for range 3 {
		_, err := c.Register(context.Background(), &events)
		if !asError(t, err).Wait {
			t.Errorf("%v, want an error that waits", err)
		}
		texts = append(texts, err.Error())
	}
	if n := requests.Load(); n != 1 || texts[0] != texts[1] || texts[1] != texts[2] {
		t.Errorf("%d requests, errors %q, want one request and its error", n, texts)
	}
}

// TestClient_NoCredentials: errors contain neither credentials that a registry sends back, nor
// control characters.
func TestClient_NoCredentials(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprintf(w, `{"error_code":42201,"message":"no %s of %s\\u001b[31m"}`, r.Header.Get("Authorization"), password)
	}))
	t.Cleanup(s.Close)
	for name, authorize := range map[string]func(*http.Request) error{
		"basic":  func(r *http.Request) error { r.SetBasicAuth("joe", "canary:4711"); return nil },
		"bearer": func(r *http.Request) error { r.Header.Set("Authorization", "Bearer canary:4711"); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, registry.Config{URLs: []string{s.URL}, Authorize: authorize})
			_, err := c.Register(context.Background(), &events)
			if text := asError(t, err).Error(); strings.Contains(text, "canary") || strings.Contains(text, "am9lOmNhbmFyeTo0NzEx") ||
				strings.ContainsRune(text, 0x1b) || !strings.Contains(text, schema.Redacted) {
				t.Errorf("error %q", text)
			}
		})
	}
}
