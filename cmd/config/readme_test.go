package config_test

import (
	"testing"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/cmd/golden"
)

// TestREADME compares the README's table with the output of `dfinery-kafka config --markdown`.
// -update rewrites it.
func TestREADME(t *testing.T) {
	const path, from, to = "README.md", "-update -->\n", "<!-- /variables -->\n"
	golden.Section(t, path, from, to, "\n"+config.Markdown()+"\n", "go test ./cmd/config -run README -update")
}
