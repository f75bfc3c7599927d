package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dfinery-kafka/schema"
)

// bench is a run of the benchmark.
type bench struct {
	rows, rounds, partitions int
	brokers                  string
	kfake                    bool
	binary, out              string
	only                     []string

	root  string // of the repository
	dir   string // temporary directory, removed at the end
	kafka string // description of the brokers
}

func (b *bench) run(ctx context.Context, out, progress io.Writer) error {
	list := b.chosen()
	if len(list) == 0 {
		return fmt.Errorf("--only %s: no such contender can run here", strings.Join(b.only, ","))
	}
	clean, err := b.prepare(ctx, progress)
	if err != nil {
		return err
	}
	defer clean()
	// The day is fixed, even if midnight passes: later days have no rows.
	data := dataFlags{rows: b.rows, day: today()}
	if slices.ContainsFunc(list, func(c contender) bool { return c.name == "kcat" }) {
		fmt.Fprintln(progress, "rendering records for kcat")
		if err := b.render(ctx, &data); err != nil {
			return fmt.Errorf("render: %w", err)
		}
	}
	api, err := data.serve(ctx)
	if err != nil {
		return err
	}
	defer api.stop()
	t := task{api: api.address, brokers: b.brokers, day: data.day}
	results, err := b.measureAll(ctx, list, t, &data, progress)
	if err != nil {
		return err
	}
	r := report{rows: b.rows, partitions: b.partitions, kafka: b.kafka, list: list, results: results}
	r.table(out)
	if b.out == "" {
		return nil
	}
	return r.save(b.out)
}

// prepare finds the repository, builds the measured binary, and starts Kafka, unless
// these are given. clean removes what it created.
func (b *bench) prepare(ctx context.Context, progress io.Writer) (clean func(), err error) {
	if b.root, err = repository(ctx); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp("", "dfinery-kafka-bench"); err != nil {
		return nil, err
	}
	remove := func() { _ = os.RemoveAll(b.dir) } // of a temporary directory
	if b.binary == "" {
		err = b.build(ctx, progress)
	}
	var stop func()
	if err == nil {
		stop, err = b.startKafka(ctx, progress)
	}
	if err != nil {
		remove()
		return nil, err
	}
	return func() { stop(); remove() }, nil
}

// today is the day of the rows.
func today() string { return schema.DayOf(time.Now(), time.FixedZone("Asia/Seoul", 9*3600)).String() }

// chosen returns the contenders selected by --only, and those whose state they need.
func (b *bench) chosen() []contender {
	var list []contender
	all := contenders()
	for i, c := range all {
		if len(b.only) == 0 || slices.ContainsFunc(b.only, func(name string) bool { return strings.HasPrefix(c.name, name) }) {
			first := i
			for all[first].again {
				first--
			}
			if c.again && !slices.ContainsFunc(list, func(other contender) bool { return other.name == all[first].name }) {
				list = append(list, all[first])
			}
			list = append(list, c)
		}
	}
	return list
}

// measureAll runs the contenders in turns. The first wrong run ends the benchmark.
func (b *bench) measureAll(ctx context.Context, list []contender, t task, data *dataFlags, progress io.Writer) ([][]usage, error) {
	prefix := fmt.Sprintf("bench.%d.", time.Now().UnixMilli())
	results := make([][]usage, len(list))
	for round := range b.rounds {
		for i, c := range list {
			if !c.again {
				t.topic = fmt.Sprintf("%s%d.%s", prefix, round+1, c.name)
				if err := b.freshTopic(ctx, &t, prefix); err != nil {
					return nil, err
				}
			}
			u, err := b.measureOne(ctx, c, t, data)
			if err != nil {
				return nil, err
			}
			results[i] = append(results[i], u)
			fmt.Fprintf(progress, "round %d of %d  %-12s %6.2f s cpu  %6.2f s  %6.1f MiB\n", round+1, b.rounds, c.name, u.CPU.Seconds(), u.Wall.Seconds(), mebibytes(u.Peak))
		}
	}
	return results, deleteTopics(ctx, t.brokers, prefix)
}

// freshTopic deletes the topics of former tasks and creates the task's topic.
func (b *bench) freshTopic(ctx context.Context, t *task, prefix string) error {
	if err := deleteTopics(ctx, t.brokers, prefix); err != nil {
		return err
	}
	return createTopic(ctx, t.brokers, t.topic, b.partitions)
}

func (b *bench) measureOne(ctx context.Context, c contender, t task, data *dataFlags) (usage, error) {
	cmd, err := c.command(ctx, b, &t)
	if err != nil {
		return usage{}, err
	}
	var u usage
	if c.polls {
		u, err = measurePolls(cmd, data.rows)
	} else {
		u, err = measure(cmd)
	}
	if err != nil {
		return u, err
	}
	check, err := part(ctx, append([]string{"verify", "--brokers", t.brokers, "--topics", strings.Join(t.topics(), ",")}, data.args()...)...)
	if err != nil {
		return u, err
	}
	if said, err := check.CombinedOutput(); err != nil {
		return u, fmt.Errorf("the result of %s is wrong, so its figures are invalid: %w\n%s", c.name, err, said)
	}
	return u, nil
}

// build builds the measured binary like a release.
func (b *bench) build(ctx context.Context, progress io.Writer) error {
	b.binary = filepath.Join(b.dir, "dfinery-kafka")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", b.binary, "./cmd/dfinery-kafka")
	cmd.Dir, cmd.Stderr = b.root, progress
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	return cmd.Run()
}

// repository returns the directory of the module that contains the working directory.
func repository(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "dfinery-kafka").Output()
	if err != nil {
		return "", fmt.Errorf("run it from within the repository: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
