package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// TestWrap: help texts are wrapped between words, except indented lines.
func TestWrap(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"a short line":     {"one two", "one two"},
		"at the width":     {"abcdefghij", "abcdefghij"},
		"beyond it":        {"abcdefghij kl", "abcdefghij\nkl"},
		"line ends":        {"one\ntwo three", "one two\nthree"},
		"paragraphs":       {"one two three\n\nfour\n", "one two\nthree\n\nfour"},
		"longer words":     {"a abcdefghijkl b", "a\nabcdefghijkl\nb"},
		"characters":       {"ééééé éééé", "ééééé éééé"},
		"what is indented": {"one\n\n\ttwo three four\n\nfive", "one\n\n\ttwo three four\n\nfive"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(strings.TrimSpace(test.want), strings.TrimSpace(wrap(test.text, 10))); diff != "" {
				t.Errorf("wrapped (-want +got):\n%s", diff)
			}
		})
	}
}

// TestHelpIsNarrow: no line of a help text is wider than a usual terminal, except in examples.
func TestHelpIsNarrow(t *testing.T) {
	var look func(*cobra.Command)
	look = func(cmd *cobra.Command) {
		var out strings.Builder
		cmd.SetOut(&out)
		cmd.HelpFunc()(cmd, nil)
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > maxWidth && !strings.Contains(cmd.Example, strings.TrimSuffix(line, "\n")) {
				t.Errorf("%s: %d characters: %s", cmd.CommandPath(), n, line)
			}
		}
		if !strings.Contains(out.String(), "Usage:\n  "+cmd.CommandPath()) {
			t.Errorf("%s has no usage:\n%s", cmd.CommandPath(), out.String())
		}
		for _, sub := range cmd.Commands() {
			look(sub)
		}
	}
	look(rootCommand())
}
