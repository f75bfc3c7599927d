package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
)

// TestProxies_Unparsable: with a proxy URL that net/http would ignore every command fails before
// the first call, and does not print its password.
func TestProxies_Unparsable(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 82, RowsPerDay: 10}})
	for _, password := range []string{canary + "%et", canary + "#et", canary + "/et", canary + "?et", canary + " et"} {
		for _, variables := range [][]string{{"HTTPS_PROXY", "HTTP_PROXY"}, {"https_proxy", "http_proxy"}} {
			for _, variable := range variables {
				b.set(variable, "http://me:"+password+"@proxy.example:3128")
			}
			for _, args := range [][]string{{"config"}, {"run", "--once"}, {"check"}} {
				out, got := b.run(args...)
				for _, variable := range variables {
					if got.Code != 2 || !strings.Contains(got.Stderr, variable+": is not a proxy's address") {
						t.Errorf("%s with %q, %v: exit %d:\n%s%s", variable, password, args, got.Code, out, got.Stderr)
					}
				}
			}
			for _, variable := range variables {
				delete(b.environ, variable)
			}
		}
	}
	if calls := b.api.Calls(); len(calls) > 0 {
		t.Errorf("%d calls were made", len(calls))
	}
}

// TestProxies_OAuth: requests to the token endpoint of OAUTHBEARER use the proxy, like those to
// the Export API.
func TestProxies_OAuth(t *testing.T) {
	t.Parallel()
	var seen journal
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.note(r.Method + " " + r.URL.String() + " " + r.Header.Get("Proxy-Authorization"))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(proxy.Close)
	b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 83, RowsPerDay: 10}})
	b.set("KAFKA_SASL_MECHANISM", "OAUTHBEARER", "KAFKA_SASL_OAUTH_TOKEN_URL", "http://login.dfinery.test/token", "KAFKA_SASL_OAUTH_CLIENT_ID", "me",
		"KAFKA_SASL_OAUTH_CLIENT_SECRET", canary, "HTTP_PROXY", "http://me:p%25w@"+proxy.Listener.Addr().String())
	if out, got := b.run("check"); got.Code != 1 || !strings.Contains(out, "get an access token from http://login.dfinery.test/token: HTTP 401") {
		t.Errorf("exit %d:\n%s%s", got.Code, out, got.Stderr)
	}
	requests := seen.list()
	if len(requests) == 0 {
		t.Fatal("the proxy received no request")
	}
	if diff := cmp.Diff("POST http://login.dfinery.test/token Basic bWU6cCV3", requests[0]); diff != "" {
		t.Errorf("requests to the proxy (-want +got):\n%s", diff)
	}
}
