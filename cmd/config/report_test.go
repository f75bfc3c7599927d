package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/cmd/golden"
)

func TestMarkdown(t *testing.T) { golden.Compare(t, "testdata/config.md", config.Markdown()) }

func TestEnvFile(t *testing.T) { golden.Compare(t, "testdata/config.env", config.EnvFile()) }

// TestEnvFileFilledIn: the template is a valid configuration after the required values are
// filled in.
func TestEnvFileFilledIn(t *testing.T) {
	variables := make(map[string]string)
	for line := range strings.Lines(config.EnvFile()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "#")), "="); ok && !strings.Contains(name, " ") {
			if value != "" || strings.HasPrefix(line, "#") {
				variables[name] = value
			}
		}
	}
	for _, ofProfiles := range []string{"AUDIENCE", "MODE", "DELETES", "DELETE_AFTER", "DELETE_MOST"} {
		variables["STREAM_EVENTS_"+ofProfiles] = "unset"
	}
	setenv(t, "", variables)
	got, _, err := config.Load()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(defaults(t), got, zones); diff != "" {
		t.Errorf("configuration (-defaults +template):\n%s", diff)
	}
}

func TestTable(t *testing.T) {
	setenv(t, "", map[string]string{
		"DFINERY_BASE_URL":     "https://me:" + canary + "@dfinery.ai",
		"DFINERY_EXPORT_TOKEN": "unset", "DFINERY_EXPORT_TOKEN_FILE": "testdata/token",
		"KAFKA_SASL_PASSWORD": canary, "KAFKA_SASL_USERNAME": "me\x1b[31m",
		"STREAMS": "buys,users", "STREAM_USERS_EXPORT": "userprofile", "STREAM_USERS_LOOKBACK": "3",
		"ADMIN_ADDR": "", "KAFKA_TLS": "",
	})
	_, report, _ := config.Load()
	var table, encoded bytes.Buffer
	if err := report.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	encoder := json.NewEncoder(&encoded)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(report); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/table.txt", table.String())
	golden.Compare(t, "testdata/report.json", encoded.String())
	var list bytes.Buffer
	if err := report.WriteList(&list, func(meaning string) string { return strings.ReplaceAll(meaning, ", ", ",\n") }); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/list.txt", list.String())
	expectNoSecret(t, report, nil)
}

// expectNoSecret checks that nothing that may be printed contains the canary.
func expectNoSecret(t *testing.T, report config.Report, err error) {
	t.Helper()
	var all bytes.Buffer
	report.WriteTable(&all)
	report.WriteList(&all, strings.ToLower)
	fmt.Fprintf(&all, "%+v %#v %v", report, report, err)
	if strings.Contains(all.String(), canary) {
		t.Errorf("a secret is shown:\n%s", all.String())
	}
}
