package config_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dfinery-kafka/cmd/config"
)

// TestReadSecret: a secret is the contents of its file without one line end. Errors do not
// contain it.
func TestReadSecret(t *testing.T) {
	tests := map[string]struct{ content, secret, err string }{
		"no line end":           {"s3cret", "s3cret", ""},
		"a line end":            {"s3cret\n", "s3cret", ""},
		"CRLF":                  {"s3cret\r\n", "s3cret", ""},
		"two line ends":         {"s3cret\n\n", "s3cret\n", ""},
		"blanks":                {" s3cret\t \n", " s3cret\t ", ""},
		"a blank inside":        {"s3 cret", "s3 cret", ""},
		"quotes":                {"\"s3cret\"", "\"s3cret\"", ""},
		"not ASCII":             {"pa\u0308sswo\u0308rd\u00a0", "pa\u0308sswo\u0308rd\u00a0", ""},
		"nothing":               {"", "", "is empty"},
		"white space alone":     {" \n", "", "is empty"},
		"lines":                 {"s3cret\ns3cret", "", "has several lines: a secret is one line"},
		"a carriage return":     {"s3cret\rs3cret", "", "has several lines: a secret is one line"},
		"a byte order mark":     {"\ufeffs3cret", "", "starts with a byte order mark: save it as UTF-8 without one"},
		"UTF-16, little-endian": {"\xff\xfes\x003\x00", "", "is in UTF-16 or contains a NUL character: save it as UTF-8 without a byte order mark"},
		"UTF-16, no mark":       {"s\x003\x00", "", "is in UTF-16 or contains a NUL character: save it as UTF-8 without a byte order mark"},
		"another charset":       {"p\xe4ssword\n", "", "is not UTF-8: save it as UTF-8 without a byte order mark"},
		"too large":             {strings.Repeat("x", 64<<10+1), "", "is too large for a secret"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeFile(t, dir, "secret", test.content)
			path := filepath.Join(dir, "secret")
			got, err := config.ReadSecret(path)
			text := ""
			if err != nil {
				text = strings.TrimPrefix(err.Error(), path+" ")
			}
			if got.Reveal() != test.secret || text != test.err {
				t.Errorf("ReadSecret() = %q, %q; want %q, %q", got.Reveal(), text, test.secret, test.err)
			}
		})
	}
}

// TestPasswordWarnings: a password with quotes or blanks at its ends is used as it is, with a
// warning that names its variable or file.
func TestPasswordWarnings(t *testing.T) {
	const (
		quotes = "the value is wrapped in quotes, which are sent as part of it: docker run --env-file, for example, does not remove them. Write it without quotes unless they belong to it"
		blanks = "has white space around the secret, which is sent as part of it. If the login is refused, this release retries without it: remove the white space if it is not intended"
	)
	dir := t.TempDir()
	writeFile(t, dir, "blanks", " "+canary+"\n")
	writeFile(t, dir, "quotes", "'"+canary+"'\n")
	tests := map[string]struct {
		variable, value, secret string
		want                    []config.Finding
	}{
		"of a registry":    {"SCHEMA_REGISTRY_PASSWORD", `"` + canary + `"`, "", []config.Finding{{"SCHEMA_REGISTRY_PASSWORD", quotes}}},
		"as it is":         {"KAFKA_SASL_PASSWORD", canary, canary, nil},
		"a line end":       {"KAFKA_SASL_PASSWORD", canary + "\n", canary, nil},
		"quotes":           {"KAFKA_SASL_PASSWORD", `"` + canary + `"`, `"` + canary + `"`, []config.Finding{{"KAFKA_SASL_PASSWORD", quotes}}},
		"blanks":           {"KAFKA_SASL_PASSWORD", canary + " ", canary + " ", []config.Finding{{"KAFKA_SASL_PASSWORD", blanks}}},
		"quotes in a file": {"KAFKA_SASL_PASSWORD_FILE", dir + "/quotes", "'" + canary + "'", []config.Finding{{"KAFKA_SASL_PASSWORD_FILE", quotes}}},
		"blanks in a file": {"KAFKA_SASL_PASSWORD_FILE", dir + "/blanks", " " + canary, []config.Finding{{"KAFKA_SASL_PASSWORD_FILE", blanks}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			setenv(t, "", map[string]string{"KAFKA_SASL_MECHANISM": "SCRAM-SHA-256", "KAFKA_SASL_USERNAME": "me", test.variable: test.value})
			if strings.HasPrefix(test.variable, "SCHEMA_REGISTRY") {
				setenv(t, "", map[string]string{"SCHEMA_REGISTRY_URL": "https://registry", "SCHEMA_REGISTRY_USERNAME": "me", test.variable: test.value})
			}
			c, report, err := config.Load()
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Kafka.Password.Reveal(); got != test.secret {
				t.Errorf("password %q, want %q", got, test.secret)
			}
			if diff := cmp.Diff(test.want, report.Warnings, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
			expectNoSecret(t, report, err)
		})
	}
}
