package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"dfinery-kafka/cmd/admin"
	"dfinery-kafka/cmd/config"
	"dfinery-kafka/cmd/terminal"
	"dfinery-kafka/schema"
)

func configCommand() *cobra.Command {
	var asJSON, asMarkdown, asEnvFile, metrics bool
	var envFile string
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show the configuration, and validate it",
		Long: `List all environment variables that are read, with their values (secrets are redacted), the origin of the values, defaults and
meanings, followed by all faults of the configuration. With a fault the exit code is 2.`,
		Example: `  dfinery-kafka config                                 # show values and faults
  dfinery-kafka config --json | jq .faults             # the same for scripts
  dfinery-kafka config --write-env-file dfinery.env    # a commented template that only you can read
  docker run --env-file dfinery.env dfinery-kafka config`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if n := count(asJSON, asMarkdown, asEnvFile, envFile != "", metrics); n > 1 {
				return &exitError{exitUsage, errors.New("--json, --markdown, --env-file, --write-env-file and --metrics are mutually exclusive")}
			}
			out := cmd.OutOrStdout()
			switch {
			case asMarkdown:
				_, err := io.WriteString(out, config.Markdown())
				return err
			case metrics:
				_, err := io.WriteString(out, admin.Markdown())
				return err
			case asEnvFile:
				_, err := io.WriteString(out, config.EnvFile())
				return err
			case envFile != "":
				return writeEnvFile(out, envFile)
			}
			_, report, wrong := reported(cmd.ErrOrStderr(), loadToShow)
			if err := writeReport(out, report, asJSON); err != nil {
				return err
			}
			return wrong
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: variables, warnings, faults")
	cmd.Flags().BoolVar(&asMarkdown, "markdown", false, "print the table of variables for the README")
	cmd.Flags().BoolVar(&asEnvFile, "env-file", false, "print a template of an environment file")
	cmd.Flags().StringVar(&envFile, "write-env-file", "", "write that template to a new `FILE` that only its owner can read (mode 0600)")
	cmd.Flags().BoolVar(&metrics, "metrics", false, "print the table of metrics for the README")
	return cmd
}

// writeEnvFile creates the file. It never overwrites a file, which may contain the only copy of
// a token.
func writeEnvFile(out io.Writer, path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write the template: %s exists and is not overwritten: name another file, or remove it", path)
	}
	if err != nil {
		return fmt.Errorf("write the template: %w", err)
	}
	_, err = io.WriteString(file, config.EnvFile())
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write the template: %w", err)
	}
	_, err = fmt.Fprintf(out, "wrote %s: fill in the variables that are not commented out\n", path)
	return err
}

// count returns how many are true.
func count(all ...bool) (n int) {
	for _, one := range all {
		if one {
			n++
		}
	}
	return n
}

// wholeTable is the approximate width of the table of all variables.
const wholeTable = 200

func writeReport(w io.Writer, report config.Report, asJSON bool) error {
	if width := terminal.Width(w); !asJSON && width > 0 && width < wholeTable {
		return report.WriteList(w, func(meaning string) string { return wrap(meaning, min(maxWidth, width)-4) })
	}
	if !asJSON {
		return report.WriteTable(w)
	}
	return writeJSON(w, report)
}

// writeJSON writes a value for people and programs.
func writeJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(value)
}

// loadToShow reads the configuration, including warnings that matter only when it is shown.
func loadToShow() (*config.Config, config.Report, error) {
	c, report, err := config.Load()
	if err == nil {
		report.WarnOfPersonal(c)
	}
	return c, report, err
}

// loadConfig reads the configuration and prints its warnings. For a wrong configuration the
// error lists all faults and has exit code 2.
func loadConfig(stderr io.Writer) (*config.Config, config.Report, error) {
	return reported(stderr, config.Load)
}

// loadKafka is loadConfig for commands that use only Kafka and need no token.
func loadKafka(stderr io.Writer) (*config.Config, config.Report, error) {
	return reported(stderr, config.LoadWithoutToken)
}

func reported(stderr io.Writer, load func() (*config.Config, config.Report, error)) (*config.Config, config.Report, error) {
	c, report, err := load()
	for _, warning := range report.Warnings {
		fmt.Fprintln(stderr, "warning:", warning)
	}
	if err != nil {
		indented := "  " + strings.ReplaceAll(err.Error(), "\n", "\n  ")
		err = &exitError{exitUsage, fmt.Errorf("the configuration has %s:\n%s", schema.Pluralize(len(report.Faults), "fault"), indented)}
	}
	return c, report, err
}
