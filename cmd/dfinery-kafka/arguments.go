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

// noArgs takes no argument.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	// A flag with a value of its own accord, as --watch, leaves a word behind it alone.
	hint := suggest(cmd, nil)
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed && f.NoOptDefVal != "" && f.Value.Type() != "bool" {
			hint = fmt.Sprintf(": write --%s=%s", f.Name, args[0])
		}
	})
	return fmt.Errorf("%s takes no argument, %q is too many%s", cmd.Name(), args[0], hint)
}

// needs takes exactly one argument, and says what it is where it is missing.
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

// aStream is the argument of commands for one stream.
const aStream = "the name of a stream"

// streamOf is the stream of the configuration with that name.
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

// completeStream completes the argument by the streams that the environment names.
func completeStream(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return streamNames(), cobra.ShellCompDirectiveNoFileComp
}

// streamNames are those of STREAMS, without a look at the rest: a shell completes before everything is right.
func streamNames() []string {
	names := strings.Split(cmp.Or(os.Getenv("STREAMS"), "events"), ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

// codes are those that a dead letter may have, but for http_STATUS.
func codes() []string {
	var names []string
	for _, rule := range schema.Rules() {
		names = append(names, string(rule.Code))
	}
	return names
}

// completeFlag has a shell complete a flag's value.
func completeFlag(cmd *cobra.Command, flag string, values func() []string) {
	// It fails only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
}

// noFiles keeps shells from completing names of files, of which no command takes any.
func noFiles(cmd *cobra.Command) {
	if cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, sub := range cmd.Commands() {
		noFiles(sub)
	}
}
