package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/schema"
)

// rootCommand returns the root command with all subcommands.
func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "dfinery-kafka COMMAND",
		Short: "Export the data of a DFINERY service to Apache Kafka",
		Long: `dfinery-kafka publishes every row of DFINERY's Export API to Kafka exactly once, and every failure to a dead-letter topic.

It is configured only by environment variables; "dfinery-kafka config" lists them.

Exit codes: 0 done, 1 failed at run time, 2 wrong configuration or usage, 3 work left for the next run.`,
		Example: `  dfinery-kafka config --write-env-file dfinery.env   # a template to fill in
  dfinery-kafka config                               # show values and faults`,
		Version:               thisBuild().String(),
		SilenceErrors:         true,
		SilenceUsage:          true,
		DisableFlagsInUseLine: true,
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(unknownFlag)
	group(root, runCommand(), checkCommand(), previewCommand(), readyCommand(), statusCommand(), backfillCommand(), pauseCommand(), resumeCommand(), contractCommand(), profilesCommand(), dlqCommand(), configCommand(), versionCommand())
	root.InitDefaultCompletionCmd("bash", "zsh", "fish", "powershell")
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" { // cobra's own takes any shell for a wish for help
			cmd.Args, cmd.RunE = unknownCommand, showHelp
		}
	}
	explain(root)
	noFiles(root)
	for _, cmd := range root.Commands() {
		failAtRunTime(cmd)
	}
	return root
}

// group makes a command that only has subcommands.
func group(cmd *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	cmd.Args, cmd.RunE, cmd.SuggestionsMinimumDistance = unknownCommand, showHelp, 2
	cmd.AddCommand(commands...)
	return cmd
}

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// failAtRunTime sets the exit code of a failure at run time on the errors of a command and its
// subcommands, unless they have another one. An error without a code is then a usage error from
// cobra.
func failAtRunTime(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		failAtRunTime(sub)
	}
	run := cmd.RunE
	if run == nil {
		return
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		err := run(cmd, args)
		if _, ok := errors.AsType[*exitError](err); err == nil || ok {
			return err
		}
		return &exitError{exitFailed, userError(cmd.Context(), err)}
	}
}

// userError rewrites an error at run time for the user of a command.
func userError(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil && errors.Is(err, context.Canceled): // where it was interrupted says nothing
		return fmt.Errorf("ended before it was done: %w", context.Cause(ctx))
	case cluster.Forbidden(err):
		return fmt.Errorf("%w\ndfinery-kafka check prints the command that grants the right", err)
	}
	return err
}

func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("unknown command %q%s", args[0], suggest(cmd, cmd.SuggestionsFor(args[0])))
}

func unknownFlag(cmd *cobra.Command, err error) error {
	if wrong, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return fmt.Errorf("--%s %s%s", wrong.GetFlag().Name, notA(wrong.GetFlag().Value.Type(), wrong.GetValue()), suggest(cmd, nil))
	}
	missing, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return fmt.Errorf("%w%s", err, suggest(cmd, nil))
	}
	var flags, near []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) { flags = append(flags, flag.Name) })
	if name := missing.GetSpecifiedName(); len(name) > 1 {
		if like := schema.Nearest(name, flags, 2); like != "" {
			near = []string{"--" + like}
		}
	}
	return fmt.Errorf("%w%s", err, suggest(cmd, near))
}

// notA is the error text for a flag's value of the wrong kind.
func notA(kind, value string) string {
	switch kind {
	case "bool":
		return fmt.Sprintf("%q is neither true nor false", value)
	case "duration":
		return fmt.Sprintf("%q is not a duration such as 30s or 10m", value)
	}
	return fmt.Sprintf("%q is not a %s", value, kind)
}

func suggest(cmd *cobra.Command, names []string) string {
	if len(names) > 0 {
		return ": did you mean " + strings.Join(names, " or ") + "?"
	}
	return fmt.Sprintf("; see %s --help", cmd.CommandPath())
}
