package config_test

import (
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/config"
)

var assignment = regexp.MustCompile(`^#?([A-Z][A-Z0-9_]*)=(.*)$`)

// filledIn returns the template with every variable set to its default, or to a value with all
// characters that the template says are safe.
func filledIn() (file string, want map[string]string) {
	want = make(map[string]string)
	var b strings.Builder
	for line := range strings.Lines(config.EnvFile()) {
		if found := assignment.FindStringSubmatch(strings.TrimSuffix(line, "\n")); found != nil {
			name, value := found[1], found[2]
			if value == "" {
				value = "Az09.,:/-_+@="
			}
			want[name] = value
			line = name + "=" + value + "\n"
		}
		b.WriteString(line)
	}
	return b.String(), want
}

// TestEnvFileParsers: all programs that read such files get the same values from the template.
func TestEnvFileParsers(t *testing.T) {
	file, want := filledIn()
	names := slices.Sorted(maps.Keys(want))
	for name, parse := range map[string]func(*testing.T, string, []string) map[string]string{
		"shell": bySh, "docker run and kubectl": byDocker, "docker compose": byCompose, "systemd": bySystemd,
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, parse(t, file, names)); diff != "" {
				t.Errorf("variables (-want +got):\n%s", diff)
			}
		})
	}
}

// bySh reads the file with `set -a; . FILE`.
func bySh(t *testing.T, file string, names []string) map[string]string {
	t.Helper()
	script := file + "\n"
	for _, name := range names {
		script += `printf '%s\n' "$` + name + "\"\n"
	}
	shell := exec.CommandContext(t.Context(), "/bin/sh", "-eu", "-c", script)
	shell.Env = []string{"PATH=/bin"}
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	values := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	got := make(map[string]string)
	for i, name := range names {
		got[name] = values[i]
	}
	return got
}

// lines returns the assignments of a file without its comments.
func lines(file string) map[string]string {
	found := make(map[string]string)
	for line := range strings.Lines(file) {
		line = strings.TrimSuffix(line, "\n")
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(strings.TrimSpace(line), "#") {
			found[name] = value
		}
	}
	return found
}

// byDocker keeps every byte after the first =.
func byDocker(_ *testing.T, file string, _ []string) map[string]string { return lines(file) }

// byCompose removes quotes and comments, and expands variables, none of which is set.
func byCompose(_ *testing.T, file string, _ []string) map[string]string {
	variable := regexp.MustCompile(`\$(\{[^}]*\}|[A-Za-z_][A-Za-z0-9_]*)`)
	got := lines(file)
	for name, value := range got {
		if quoted := strings.Trim(value, `"'`); quoted != value {
			value = quoted
		} else {
			value, _, _ = strings.Cut(value, " #")
		}
		got[name] = strings.TrimSpace(variable.ReplaceAllString(value, ""))
	}
	return got
}

// bySystemd removes quotes and backslashes.
func bySystemd(_ *testing.T, file string, _ []string) map[string]string {
	got := lines(file)
	for name, value := range got {
		got[name] = strings.NewReplacer(`"`, "", "'", "", `\`, "").Replace(strings.TrimSpace(value))
	}
	return got
}
