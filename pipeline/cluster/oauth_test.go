package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/cluster"
)

// tokens is a fake token server.
type tokens func(form string, r *http.Request) (int, string)

func (f tokens) RoundTrip(r *http.Request) (*http.Response, error) {
	form, _ := io.ReadAll(r.Body)
	status, body := f(string(form), r)
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// TestTokenIsKept: a token is used until it expires or Forget is called. A new one is requested
// with the current secret.
func TestTokenIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		server := tokens(func(form string, r *http.Request) (int, string) {
			user, password, _ := r.BasicAuth()
			asked = append(asked, user+" "+password+" "+form)
			return 200, fmt.Sprintf(`{"access_token":"token-%d","token_type":"Bearer","expires_in":300}`, len(asked))
		})
		secret := "first"
		c := &cluster.ClientCredentials{TokenURL: "https://login.example/token", ClientID: "me", Scopes: []string{"a", "b"},
			Secret: func() (string, error) { return secret, nil }, HTTP: &http.Client{Transport: server}}
		var got []string
		for range 4 {
			token, err := c.Token(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, token)
			time.Sleep(2 * time.Minute)
			secret = "second"
		}
		c.Forget() // a server has refused it
		token, err := c.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"token-1", "token-1", "token-1", "token-2", "token-3"}, append(got, token)); diff != "" {
			t.Errorf("tokens (-want +got):\n%s", diff)
		}
		form := "grant_type=client_credentials&scope=a+b"
		if diff := cmp.Diff([]string{"me first " + form, "me second " + form, "me second " + form}, asked); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
}

// TestTokenFailures: errors give the reason but never contain the secret, whatever the server
// answers.
func TestTokenFailures(t *testing.T) {
	t.Parallel()
	const canary = "c4n4ry-s3cr3t"
	tests := map[string]struct {
		status int
		body   string
		want   string
	}{
		"wrong secret":  {401, `{"error":"invalid_client","error_description":"` + canary + ` is wrong"}`, "HTTP 401, invalid_client"},
		"unknown code":  {400, `{"error":"` + canary + `"}`, "HTTP 400"},
		"an error page": {503, canary, "HTTP 503"},
		"no token":      {200, `{"secret":"` + canary + `"}`, "the answer contains no access token"},
		"no JSON":       {200, canary, "the answer contains no access token"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := tokens(func(string, *http.Request) (int, string) { return test.status, test.body })
			c := &cluster.ClientCredentials{TokenURL: "https://login.example/token", ClientID: "me",
				Secret: func() (string, error) { return canary, nil }, HTTP: &http.Client{Transport: server}}
			_, err := c.Token(t.Context())
			if diff := cmp.Diff("get an access token from https://login.example/token: "+test.want, fmt.Sprint(err)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTokenWithoutSecret(t *testing.T) {
	t.Parallel()
	gone := errors.New("the file does not exist")
	c := &cluster.ClientCredentials{TokenURL: "https://login.example/token", Secret: func() (string, error) { return "", gone }}
	if _, err := c.Token(context.Background()); !errors.Is(err, gone) {
		t.Errorf("error %v, want %v", err, gone)
	}
}
