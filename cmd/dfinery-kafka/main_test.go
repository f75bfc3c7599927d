package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	main "dfinery-kafka/cmd/dfinery-kafka"
)

// canary is the export token of every test: no output may contain it.
const canary = "c4n4ry-t0k3n"

// asProgram is set for a process of the test binary that runs as the program. The built
// program is tested in cmd/e2e.
const asProgram = "DFINERY_KAFKA_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Unsetenv(asProgram) // the program would report it as an unknown variable
		main.Main("v1.2.3")
		return
	}
	os.Exit(m.Run())
}

// program returns a command that runs the program with the given environment only.
func program(t *testing.T, environ []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append([]string{"PATH=/bin", asProgram + "=1"}, environ...)
	return cmd
}

type result struct {
	Code   int
	Stderr string
}

// run runs the program until it ends.
func run(t *testing.T, environ []string, args ...string) (string, result) {
	t.Helper()
	cmd := program(t, environ, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(exit, err)
	}
	if all := stdout.String() + stderr.String(); strings.Contains(all, canary) {
		t.Errorf("the output contains the token:\n%s", all)
	}
	return stdout.String(), result{cmd.ProcessState.ExitCode(), stderr.String()}
}

// TestExitCodes: exit codes and messages of valid and invalid command lines.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	valid := []string{"DFINERY_SERVICE_ID=1234", "DFINERY_EXPORT_TOKEN=" + canary, "KAFKA_BROKERS=kafka:9092"}
	tests := map[string]struct {
		environ []string
		args    []string
		want    result
	}{
		"no command":      {nil, nil, result{}},
		"help":            {nil, []string{"config", "--help"}, result{}},
		"unknown command": {nil, []string{"publish"}, result{2, "dfinery-kafka: unknown command \"publish\"; see dfinery-kafka --help\n"}},
		"misspelt command": {nil, []string{"verison"},
			result{2, "dfinery-kafka: unknown command \"verison\": did you mean version?\n"}},
		"unknown flag":      {nil, []string{"config", "--frobnicate=" + canary}, result{2, "dfinery-kafka: unknown flag: --frobnicate; see dfinery-kafka config --help\n"}},
		"unknown shorthand": {nil, []string{"config", "-x"}, result{2, "dfinery-kafka: unknown shorthand flag: 'x' in -x; see dfinery-kafka config --help\n"}},
		"misspelt flag":     {nil, []string{"config", "--jsno"}, result{2, "dfinery-kafka: unknown flag: --jsno: did you mean --json?\n"}},
		"two forms": {nil, []string{"config", "--json", "--markdown"},
			result{2, "dfinery-kafka: --json, --markdown, --env-file, --write-env-file and --metrics are mutually exclusive\n"}},
		"no argument": {nil, []string{"backfill"}, result{2, "dfinery-kafka: backfill needs the name of a stream; see dfinery-kafka backfill --help\n"}},
		"two arguments": {nil, []string{"pause", "a", "b"},
			result{2, "dfinery-kafka: pause takes one argument, the name of a stream: \"b\" is too many; see dfinery-kafka pause --help\n"}},
		"misspelt subcommand":  {nil, []string{"dlq", "lsit"}, result{2, "dfinery-kafka: unknown command \"lsit\": did you mean list?\n"}},
		"an argument too many": {nil, []string{"version", "x"}, result{2, "dfinery-kafka: version takes no argument, \"x\" is too many; see dfinery-kafka version --help\n"}},
		"a flag's value apart": {nil, []string{"status", "--watch", "5s"}, result{2, "dfinery-kafka: status takes no argument, \"5s\" is too many: write --watch=5s\n"}},
		"backward":             {valid, []string{"status", "--watch=-5s"}, result{2, "dfinery-kafka: --watch -5s is not more than zero\n"}},
		"no duration":          {nil, []string{"pause", "events", "--wait", "5"}, result{2, "dfinery-kafka: --wait \"5\" is not a duration such as 30s or 10m; see dfinery-kafka pause --help\n"}},
		"no truth":             {nil, []string{"run", "--once=maybe"}, result{2, "dfinery-kafka: --once \"maybe\" is neither true nor false; see dfinery-kafka run --help\n"}},
		"misspelt code":        {valid, []string{"dlq", "list", "--code", "feild_count"}, result{2, "dfinery-kafka: --code \"feild_count\" is no code of a dead letter: did you mean field_count?\n"}},
		"since tomorrow": {valid, []string{"dlq", "list", "--since", "-24h"},
			result{2, "dfinery-kafka: --since -24h is in the future: a duration counts back from now, such as 24h\n"}},
		"unknown shell":         {nil, []string{"completion", "tcsh"}, result{2, "dfinery-kafka: unknown command \"tcsh\"; see dfinery-kafka completion --help\n"}},
		"a word for an address": {nil, []string{"ready", "standby"}, result{2, "dfinery-kafka: \"http://standby\" is no address of an admin server, such as http://dfinery-kafka:8080\n"}},
		"nobody's address":      {nil, []string{"ready", "ftp://a:1"}, result{2, "dfinery-kafka: \"ftp://a:1\" is no address of an admin server, such as http://dfinery-kafka:8080\n"}},
		"right configuration":   {valid, []string{"config"}, result{}},
		"with a warning": {append(valid, "KAFKA_OPTS="+canary), []string{"config"},
			result{0, "warning: KAFKA_OPTS: unknown variable, it has no effect\n"}},
		"wrong configuration": {[]string{"KAFKA_BROKERS=me:" + canary + "@kafka:9092", "DFINERY_EXPORT_TOKN=" + canary}, []string{"config"}, result{2, `dfinery-kafka: the configuration has 4 faults:
  DFINERY_SERVICE_ID: is required: for example 1234
  KAFKA_BROKERS: must contain only host:port: set the user in KAFKA_SASL_USERNAME
  DFINERY_EXPORT_TOKEN: is required, or DFINERY_EXPORT_TOKEN_FILE
  DFINERY_EXPORT_TOKN: unknown variable: did you mean DFINERY_EXPORT_TOKEN?
`}},
		"one fault": {append(valid, "KAFKA_TLS=on"), []string{"config", "--json"},
			result{2, "dfinery-kafka: the configuration has 1 fault:\n  KAFKA_TLS: \"on\" is neither true nor false\n"}},
		"template, whatever is set": {[]string{"KAFKA_TLS=on"}, []string{"config", "--env-file"}, result{}},
		"README, whatever is set":   {[]string{"KAFKA_TLS=on"}, []string{"config", "--markdown"}, result{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stdout, got := run(t, test.environ, test.args...)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if test.want.Code == 0 && stdout == "" {
				t.Error("nothing on standard output")
			}
		})
	}
}

// TestWriteEnvFile: the template is written to a new file that only its owner can read. An
// existing file is not changed.
func TestWriteEnvFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "dfinery.env")
	stdout, got := run(t, nil, "config", "--write-env-file", path)
	if diff := cmp.Diff(result{}, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	if want := "wrote " + path + ": fill in the variables that are not commented out\n"; stdout != want {
		t.Errorf("printed %q, want %q", stdout, want)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	printed, _ := run(t, nil, "config", "--env-file")
	if diff := cmp.Diff(printed, string(written)); diff != "" {
		t.Errorf("file (-printed +written):\n%s", diff)
	}
	_, got = run(t, nil, "config", "--write-env-file", path)
	want := result{1, "dfinery-kafka: write the template: " + path + " exists and is not overwritten: name another file, or remove it\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("again (-want +got):\n%s", diff)
	}
}

// TestFailureToWrite: a command whose output can't be written fails.
func TestFailureToWrite(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full: ", err)
	}
	defer full.Close()
	cmd := program(t, nil, "config", "--markdown")
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = full, &stderr
	cmd.Run()
	want := result{1, "dfinery-kafka: write /dev/stdout: no space left on device\n"}
	if diff := cmp.Diff(want, result{cmd.ProcessState.ExitCode(), stderr.String()}); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

// TestConfigJSON: config --json lists variables, warnings and faults, and redacts secrets.
func TestConfigJSON(t *testing.T) {
	t.Parallel()
	stdout, _ := run(t, []string{"DFINERY_EXPORT_TOKEN=" + canary, "KAFKA_BROKERS=kafka:9092"}, "config", "--json")
	var got struct {
		Variables []map[string]string
		Warnings  []map[string]string
		Faults    []map[string]string
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]map[string]string{{"variable": "DFINERY_SERVICE_ID", "message": "is required: for example 1234"}}, got.Faults); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	want := map[string]string{
		"name": "DFINERY_EXPORT_TOKEN", "value": "(secret)", "from": "environment", "default": "",
		"meaning": "The service's Export token. Required, here or in DFINERY_EXPORT_TOKEN_FILE",
	}
	if diff := cmp.Diff(want, got.Variables[2]); diff != "" {
		t.Errorf("third variable (-want +got):\n%s", diff)
	}
}

// TestVersion: version and --version print version, commit and Go release.
func TestVersion(t *testing.T) {
	t.Parallel()
	line := "dfinery-kafka v1.2.3 " + runtime.Version() + "\n"
	for _, args := range [][]string{{"version"}, {"--version"}} {
		stdout, got := run(t, nil, args...)
		if diff := cmp.Diff(result{}, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", args, diff)
		}
		if fields := strings.Fields(stdout); len(fields) < 3 || fields[0]+" "+fields[1]+" "+fields[len(fields)-1]+"\n" != line {
			t.Errorf("%v printed %q, want %q with the commit in between", args, stdout, line)
		}
	}
	stdout, _ := run(t, nil, "version", "--json")
	var got map[string]any
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "commit") // known only when built inside of a repository
	delete(got, "time")
	delete(got, "modified")
	if diff := cmp.Diff(map[string]any{"version": "v1.2.3", "go": runtime.Version()}, got); diff != "" {
		t.Errorf("version --json (-want +got):\n%s", diff)
	}
}
