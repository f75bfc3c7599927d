package main

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/schema"
)

// noArgs accepts no arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	// A flag with an optional value, such as --watch, does not consume the next word.
	hint := suggest(cmd, nil)
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed && f.NoOptDefVal != "" && f.Value.Type() != "bool" {
			hint = fmt.Sprintf(": write --%s=%s", f.Name, args[0])
		}
	})
	return fmt.Errorf("%s takes no argument, %q is too many%s", cmd.Name(), args[0], hint)
}

// needs accepts exactly one argument; what describes it in the error.
func needs(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return fmt.Errorf("%s needs %s%s", cmd.Name(), what, suggest(cmd, nil))
		case 1:
			return nil
		}
		return fmt.Errorf("%s takes one argument, %s: %q is too many%s", cmd.Name(), what, args[1], suggest(cmd, nil))
	}
}

// aStream describes the argument of commands for one stream.
const aStream = "the name of a stream"

// streamOf returns the configured stream with this name.
func streamOf(c *config.Config, name string) (*config.Stream, error) {
	if s := c.Stream(name); s != nil {
		return s, nil
	}
	names := c.StreamNames()
	if near := schema.Nearest(name, names, 2); near != "" {
		return nil, fmt.Errorf("there is no stream %q: did you mean %s? STREAMS has %s", name, near, strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("there is no stream %q: STREAMS has %s", name, strings.Join(names, ", "))
}

// completeStream completes the argument with the streams that the environment names.
func completeStream(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return streamNames(), cobra.ShellCompDirectiveNoFileComp
}

// streamNames returns the names in STREAMS. It ignores other variables, so that completion
// works while the configuration is wrong.
func streamNames() []string {
	names := strings.Split(cmp.Or(os.Getenv("STREAMS"), "events"), ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

// codes returns the codes that a dead letter may have, except http_STATUS.
func codes() []string {
	var names []string
	for _, rule := range schema.Rules() {
		names = append(names, string(rule.Code))
	}
	return names
}

// completeFlag registers the completion of a flag's value.
func completeFlag(cmd *cobra.Command, flag string, values func() []string) {
	// The error can only be an unknown flag.
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
}

// noFiles disables the completion of file names, as no command takes any.
func noFiles(cmd *cobra.Command) {
	if cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, sub := range cmd.Commands() {
		noFiles(sub)
	}
}
