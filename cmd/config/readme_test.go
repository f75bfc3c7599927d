package config_test

import (
	"testing"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/cmd/golden"
)

// The README's table is what `dfinery-kafka config --markdown` prints. With -update it is
// rewritten.
func TestREADME(t *testing.T) {
	const path, from, to = "README.md", "-update -->\n", "<!-- /variables -->\n"
	golden.Section(t, path, from, to, "\n"+config.Markdown()+"\n", "go test ./cmd/config -run README -update")
}
