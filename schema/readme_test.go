package schema_test

import (
	"os"
	"regexp"
	"testing"

	"dfinery-kafka/schema"
)

// TestREADMERecord: the id of the record in the README is the fingerprint of its cells.
func TestREADMERecord(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	record := regexp.MustCompile(`(?m)^id +(\S+)\nexport +\S+\nvalue +\{(.+)\}$`).FindSubmatch(readme)
	if record == nil {
		t.Fatal("the README shows no record")
	}
	var names, cells []string
	for _, member := range regexp.MustCompile(`"([^"]+)":"([^"]+)"`).FindAllSubmatch(record[2], -1) {
		names, cells = append(names, string(member[1])), append(cells, string(member[2]))
	}
	if got := string(schema.AppendID(nil, fingerprint(t, names, cells), 0)); got != string(record[1]) {
		t.Errorf("the README's id is %s, its value has %s", record[1], got)
	}
}
