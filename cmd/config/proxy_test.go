package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dfinery-kafka/cmd/config"
)

// TestProxyFaults: a proxy URL that net/http can't parse, and would ignore or take for another
// host, is a fault. It does not show the password.
func TestProxyFaults(t *testing.T) {
	const (
		form    = "is not a proxy's address such as http://proxy.example:3128 or http://user:password@proxy.example:3128"
		escapes = form + ". Percent-encode special characters in the user and the password: % as %25, # as %23, / as %2F, ? as %3F, @ as %40, a blank as %20"
		entry   = "contains an entry that is neither a host, a domain, an address nor a network such as 10.0.0.0/8; entries are comma-separated, without http://"
	)
	tests := map[string]struct {
		set  map[string]string
		want []config.Finding
	}{
		"a percent sign":       {map[string]string{"HTTPS_PROXY": "http://me:" + canary + "%et@proxy:3128"}, []config.Finding{{"HTTPS_PROXY", escapes}}},
		"a number sign":        {map[string]string{"HTTPS_PROXY": "http://me:" + canary + "#et@proxy:3128"}, []config.Finding{{"HTTPS_PROXY", escapes}}},
		"a slash":              {map[string]string{"HTTPS_PROXY": "http://me:" + canary + "/et@proxy:3128"}, []config.Finding{{"HTTPS_PROXY", escapes}}},
		"a slash after digits": {map[string]string{"HTTPS_PROXY": "http://me:12/" + canary + "@proxy:3128"}, []config.Finding{{"HTTPS_PROXY", escapes}}},
		"a question mark":      {map[string]string{"HTTPS_PROXY": "http://me:" + canary + "?et@proxy:3128"}, []config.Finding{{"HTTPS_PROXY", escapes}}},
		"a blank":              {map[string]string{"HTTPS_PROXY": "http://me:" + canary + " et@proxy:3128"}, []config.Finding{{"HTTPS_PROXY", escapes}}},
		"no scheme":            {map[string]string{"HTTP_PROXY": "me:" + canary + "%et@proxy:3128"}, []config.Finding{{"HTTP_PROXY", escapes}}},
		"lower case":           {map[string]string{"http_proxy": "http://me:" + canary + "%et@proxy:3128"}, []config.Finding{{"http_proxy", escapes}}},
		"capitals win":         {map[string]string{"HTTPS_PROXY": "http://proxy:%", "https_proxy": "http://proxy:1", "http_proxy": "http://proxy:%", "HTTP_PROXY": "http://proxy:1"}, []config.Finding{{"HTTPS_PROXY", form}}},
		"both":                 {map[string]string{"HTTPS_PROXY": "http://", "HTTP_PROXY": "http://proxy:70000"}, []config.Finding{{"HTTPS_PROXY", form}, {"HTTP_PROXY", form}}},
		"a line end":           {map[string]string{"HTTPS_PROXY": "http://proxy:3128\n"}, []config.Finding{{"HTTPS_PROXY", form}}},
		"an unknown scheme":    {map[string]string{"HTTPS_PROXY": "sock5://proxy:3128"}, []config.Finding{{"HTTPS_PROXY", "must begin with http://, https://, socks5:// or socks5h://"}}},
		"quotes": {map[string]string{"HTTPS_PROXY": `"http://me:` + canary + `@proxy:3128"`, "NO_PROXY": `"a"`}, []config.Finding{
			{"HTTPS_PROXY", "the value is wrapped in quotes, which are part of it: docker run --env-file, for example, does not remove them. Write it without quotes"},
			{"NO_PROXY", "the value is wrapped in quotes, which are part of it: docker run --env-file, for example, does not remove them. Write it without quotes"}}},
		"exceptions with a scheme":      {map[string]string{"NO_PROXY": "a,http://b"}, []config.Finding{{"NO_PROXY", entry}}},
		"exceptions apart by blanks":    {map[string]string{"no_proxy": "a b"}, []config.Finding{{"no_proxy", entry}}},
		"an exception of a wrong range": {map[string]string{"NO_PROXY": "10.0.0.0/33"}, []config.Finding{{"NO_PROXY", entry}}},
		"an exception of a wrong port":  {map[string]string{"NO_PROXY": "a:http"}, []config.Finding{{"NO_PROXY", entry}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			setenv(t, "", test.set)
			_, report, err := config.Load()
			if diff := cmp.Diff(test.want, report.Faults, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
			expectNoSecret(t, report, err)
		})
	}
}
