package config

import (
	"fmt"
	"strings"
)

const envFileHead = `# The configuration of dfinery-kafka. Remove the # before a variable to set it; it shows the default, if there is one.
#
# One variable a line, NAME=VALUE, without quotes and without blanks around the =. All programs read letters, digits and
# . , : / - _ + @ = in a value alike. They differ in the others:
#   a shell (set -a; . FILE)          replaces $NAME, ends the value at a blank, & ; < > | ( ), starts a comment at a blank with #,
#                                     removes quotes and backslashes
#   docker run --env-file             keeps everything behind the =, quotes too
#   docker compose, env_file          replaces $NAME, starts a comment at a blank with #, removes quotes
#   kubectl create … --from-env-file  keeps everything behind the =, quotes too
#   systemd EnvironmentFile           removes quotes and backslashes
# Write a password with such characters into a file of its own and set the variable that ends in _FILE.
`

// EnvFile is a template of an environment file for shells, docker, Kubernetes and systemd.
// Variables with a default are commented out.
func EnvFile() string {
	var b strings.Builder
	b.WriteString(envFileHead)
	for _, d := range declarations("events") {
		mark := "#"
		if d.Needed || d.Name == "DFINERY_EXPORT_TOKEN" {
			mark = ""
		}
		fmt.Fprintf(&b, "\n# %s\n", d.Meaning)
		if d.Example != "" {
			fmt.Fprintf(&b, "# For example: %s\n", d.Example)
		}
		fmt.Fprintf(&b, "%s%s=%s\n", mark, d.Name, d.Default)
	}
	return b.String()
}
