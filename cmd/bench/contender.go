package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// contender is one program that publishes the export to Kafka.
type contender struct {
	name string
	what string // its name in the table
	// again: it starts with the topic and all state in Kafka that the previous
	// contender left.
	again   bool
	command func(ctx context.Context, b *bench, t *task) (*exec.Cmd, error)
	// polls: it runs until it is stopped, and its polls are measured instead of the
	// whole process.
	polls bool
}

// contenders returns all contenders that can run here, in the order of the table.
func contenders() []contender {
	list := []contender{
		{name: "ours", what: "dfinery-kafka run --once", command: ours("run", "--once")},
		{name: "ours-known", what: "the same again: all rows known", again: true, command: ours("run", "--once")},
		{name: "kafka-go", what: "encoding/csv, encoding/json, kafka-go", command: reference("kafka-go")},
		{name: "franz-go", what: "encoding/csv, encoding/json, franz-go", command: reference("franz-go")},
	}
	if runtime.GOOS == "linux" { // where the usage of a running process is available
		poll := contender{name: "ours-poll", what: "dfinery-kafka run: one poll, all rows known", again: true, command: ours("run"), polls: true}
		list = slices.Insert(list, 2, poll)
	}
	if _, err := exec.LookPath("kcat"); err == nil {
		list = append(list, contender{name: "kcat", what: "kcat (librdkafka), records rendered before", command: kcat})
	}
	return list
}

func reference(name string) func(context.Context, *bench, *task) (*exec.Cmd, error) {
	return func(ctx context.Context, _ *bench, t *task) (*exec.Cmd, error) {
		return part(ctx, append([]string{name}, t.args()...)...)
	}
}

// ours is dfinery-kafka with its default configuration, except for topics of its own
// and what a second export within a minute requires.
func ours(args ...string) func(context.Context, *bench, *task) (*exec.Cmd, error) {
	return func(ctx context.Context, b *bench, t *task) (*exec.Cmd, error) {
		cmd := exec.CommandContext(ctx, b.binary, args...)
		cmd.Env = environment(t.api, t.brokers, t.topic+".")
		var names []string
		for n, topic := range t.topics() {
			name := fmt.Sprintf("events%d", n)
			names = append(names, name)
			prefix := "STREAM_" + strings.ToUpper(name)
			cmd.Env = append(cmd.Env, prefix+"_TOPIC="+topic, prefix+"_START="+t.day, prefix+"_POLL_INTERVAL=1ms")
			if t.hashed != "" {
				key, err := b.privacyKey()
				if err != nil {
					return nil, err
				}
				cmd.Env = append(cmd.Env, prefix+"_HASH="+t.hashed, "PRIVACY_KEY_FILE="+key)
			}
		}
		if t.format != "" {
			cmd.Env = append(cmd.Env, "STREAM_EVENTS0_FORMAT="+t.format, "SCHEMA_REGISTRY_URL="+t.registry)
		}
		cmd.Env = append(cmd.Env, "STREAMS="+strings.Join(names, ","))
		if t.codec != "" {
			cmd.Env = append(cmd.Env, "KAFKA_COMPRESSION="+t.codec)
		}
		for _, name := range []string{"GOGC", "GOMEMLIMIT", "GODEBUG"} {
			if value, set := os.LookupEnv(name); set {
				cmd.Env = append(cmd.Env, name+"="+value)
			}
		}
		return cmd, nil
	}
}

// environment returns the variables that dfinery-kafka needs for any export. Its
// topics' names have the prefix.
func environment(api, brokers, prefix string) []string {
	return []string{
		"DFINERY_BASE_URL=" + api, "DFINERY_SERVICE_ID=" + service, "DFINERY_EXPORT_TOKEN=" + token, "DFINERY_CALLS_PER_HOUR=1000000000",
		"KAFKA_BROKERS=" + brokers, "LEDGER_TOPIC=" + prefix + "ledger", "DEAD_LETTER_TOPIC=" + prefix + "dead-letters", "ADMIN_ADDR=",
	}
}

// kcat reads the rendered records from a file. Unlike dfinery-kafka, it does not enable
// idempotence.
func kcat(ctx context.Context, b *bench, t *task) (*exec.Cmd, error) {
	records, err := os.Open(filepath.Join(b.dir, renderedFile))
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "kcat", "-P", "-q", "-b", t.brokers, "-t", t.topic, "-K", `\t`, "-z", "snappy",
		"-X", "acks=all", "-X", "partitioner=murmur2", "-X", "linger.ms=50")
	cmd.Stdin = records
	return cmd, nil
}

const renderedFile = "rendered"

// render writes the records for kcat, once.
func (b *bench) render(ctx context.Context, data *dataFlags) error {
	file, err := os.Create(filepath.Join(b.dir, renderedFile))
	if err != nil {
		return err
	}
	defer file.Close()
	cmd, err := part(ctx, append([]string{"render"}, data.args()...)...)
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = file, os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	return file.Close()
}
