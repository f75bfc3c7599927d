package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"dfinery-kafka/schema/encoding"
)

// formats are the forms of a value, JSON first.
func formats() []encoding.Format {
	return []encoding.Format{encoding.FormatJSON, encoding.FormatTypedJSON, encoding.FormatJSONSchema, encoding.FormatAvro, encoding.FormatProtobuf}
}

// formatsCommand prints what each format costs.
func formatsCommand() *cobra.Command {
	var b bench
	cmd := &cobra.Command{Use: "formats", Short: "Measure each format of values beside JSON: processor time, and bytes in Kafka", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		if b.rows < 1 || b.rounds < 1 {
			return errors.New("--rows and --rounds are at least 1")
		}
		b.partitions = 6
		return b.formats(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
	}}
	flags := cmd.Flags()
	flags.IntVar(&b.rows, "rows", 2_000_000, "rows of the export")
	flags.IntVar(&b.rounds, "rounds", 3, "runs of each format")
	b.place(flags)
	return cmd
}

// cost is the cost of one run of a format.
type cost struct {
	cpu   time.Duration
	bytes int64 // of the topic's logs
}

// formats runs the formats in turns, each into a fresh topic, with an embedded schema registry.
func (b *bench) formats(ctx context.Context, out, progress io.Writer) error {
	clean, err := b.prepare(ctx, progress)
	if err != nil {
		return err
	}
	defer clean()
	data := dataFlags{rows: b.rows, day: today()}
	api, err := data.serve(ctx)
	if err != nil {
		return err
	}
	defer api.stop()
	registry := srfake.New()
	defer registry.Close()
	prefix := fmt.Sprintf("bench.%d.", time.Now().UnixMilli())
	costs := map[encoding.Format][]cost{}
	for round := range b.rounds {
		for _, format := range formats() {
			t := task{api: api.address, brokers: b.brokers, day: data.day, topic: fmt.Sprintf("%s%d.%s", prefix, round+1, format), format: string(format), registry: registry.URL()}
			c, err := b.measureFormat(ctx, t, prefix)
			if err != nil {
				return fmt.Errorf("%s: %w", format, err)
			}
			costs[format] = append(costs[format], c)
			fmt.Fprintf(progress, "round %d of %d  %-12s %6.2f s cpu  %6.1f MB\n", round+1, b.rounds, format, c.cpu.Seconds(), float64(c.bytes)/1e6)
		}
	}
	b.formatsTable(out, costs)
	return deleteTopics(ctx, b.brokers, prefix)
}

func (b *bench) measureFormat(ctx context.Context, t task, prefix string) (c cost, err error) {
	if err := b.freshTopic(ctx, &t, prefix); err != nil {
		return c, err
	}
	cmd, err := ours("run", "--once")(ctx, b, &t)
	if err != nil {
		return c, err
	}
	u, err := measure(cmd)
	if err != nil {
		return c, err
	}
	records := 0
	if err := consume(ctx, t.brokers, t.topic, func(*kgo.Record) error { records++; return nil }); err != nil {
		return c, err
	}
	if records != b.rows {
		return c, fmt.Errorf("%s holds %d records, the export %d rows", t.topic, records, b.rows)
	}
	c.cpu = u.CPU
	err = withAdmin(t.brokers, func(admin *kadm.Client) error {
		var partitions kadm.TopicsSet
		for p := range b.partitions {
			partitions.Add(t.topic, int32(p)) //nolint:gosec // a few
		}
		dirs, err := admin.DescribeAllLogDirs(ctx, partitions)
		for _, broker := range dirs {
			for _, dir := range broker {
				for _, p := range dir.Topics[t.topic] {
					c.bytes += p.Size
				}
			}
		}
		return err
	})
	return c, err
}

// formatsTable writes the medians, a million rows each.
func (b *bench) formatsTable(out io.Writer, costs map[encoding.Format][]cost) {
	middle := func(list []cost) (cpu, bytes float64) {
		by := func(less func(a, b cost) int) cost { return slices.SortedFunc(slices.Values(list), less)[len(list)/2] }
		perMillion := 1e6 / float64(b.rows)
		return by(func(a, b cost) int { return int(a.cpu - b.cpu) }).cpu.Seconds() * perMillion, float64(by(func(a, b cost) int { return int(a.bytes - b.bytes) }).bytes) * perMillion / 1e6
	}
	cpu, bytes := middle(costs[encoding.FormatJSON])
	fmt.Fprintln(out, "| format | processor time, a million rows | to json | in Kafka, a million rows | to json |\n|---|---|---|---|---|")
	for _, format := range formats() {
		c, n := middle(costs[format])
		fmt.Fprintf(out, "| %s | %.2f s | %.2f |", format, c, c/cpu)
		if bytes > 0 {
			fmt.Fprintf(out, " %.1f MB | %.2f |\n", n, n/bytes)
		} else {
			fmt.Fprint(out, " | |\n") // unknown for an embedded broker
		}
	}
}
