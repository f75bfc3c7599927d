package main

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"dfinery-kafka/cmd/terminal"
)

// widest is how many characters a line of a help text has at most, also where no terminal reports its width.
const widest = 100

// usage is cobra's template with one line of usage for each command, and flags that are wrapped to the width.
const usage = `Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND{{else}}{{.UseLine}}{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if or .IsAvailableCommand (eq .Name "help")}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped WIDTH | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

More on one of them: {{.CommandPath}} COMMAND --help{{end}}
`

// explain has the help texts of root and all its commands fit the terminal.
func explain(root *cobra.Command) {
	width := widest
	if w := terminal.Width(root.OutOrStdout()); w > 0 {
		width = min(widest, w)
	}
	root.SetUsageTemplate(strings.ReplaceAll(usage, "WIDTH", fmt.Sprint(width)))
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		fmt.Fprintf(cmd.OutOrStdout(), "%s\n\n%s", wrap(cmp.Or(cmd.Long, cmd.Short), width), cmd.UsageString())
	})
}

// wrap breaks paragraphs into lines of so many characters. An empty line ends a paragraph; other line ends count as blanks. What is
// indented stays as it is.
func wrap(text string, width int) string {
	paragraphs := strings.Split(strings.TrimSpace(text), "\n\n")
	for i, p := range paragraphs {
		if strings.Contains(p, "\n\t") || strings.HasPrefix(p, "\t") {
			continue
		}
		var b strings.Builder
		column := 0
		for _, word := range strings.Fields(p) {
			n := utf8.RuneCountInString(word)
			switch {
			case column == 0:
			case column+1+n > width:
				b.WriteByte('\n')
				column = 0
			default:
				b.WriteByte(' ')
				column++
			}
			b.WriteString(word)
			column += n
		}
		paragraphs[i] = b.String()
	}
	return strings.Join(paragraphs, "\n\n")
}
