package admin_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"dfinery-kafka/cmd/admin"
	"dfinery-kafka/cmd/golden"
)

// TestREADME compares the README's table of metrics with the code. -update rewrites it.
func TestREADME(t *testing.T) {
	const path, from, to = "../../deploy/README.md", "go test ./cmd/admin -run README -update -->\n", "<!-- /metrics -->\n"
	golden.Section(t, path, from, to, "\n"+admin.Markdown()+"\n", "go test ./cmd/admin -run README -update")
}

// TestREADMEStatus: the README describes every member of /status.
func TestREADMEStatus(t *testing.T) {
	text, err := os.ReadFile("../../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "<!-- status: ")
	table, _, ok := strings.Cut(rest, "<!-- /status -->")
	if !ok {
		t.Fatal("the README has no table of /status")
	}
	full, err := os.ReadFile("testdata/status-owner.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile(`"([a-z_]+)":`).FindAllSubmatch(full, -1) {
		if !strings.Contains(table, "`"+string(match[1])+"`") {
			t.Errorf("the README does not describe %s in /status", match[1])
		}
	}
}
