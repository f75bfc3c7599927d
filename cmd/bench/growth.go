package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// point is one measurement of how the cost grows.
type point struct {
	label      string
	data       dataFlags
	partitions int
	codec      string
	streams    int
}

// axis is a table: points that differ in one parameter.
type axis struct {
	name   string
	points []point
}

// axes returns the tables; unless stated otherwise, a day has that many rows.
func axes(rows, largest int) []axis {
	vary := func(name string, labels []string, change func(p *point, n int)) axis {
		a := axis{name: name}
		for n, label := range labels {
			p := point{label: label, data: dataFlags{rows: rows}, partitions: 6, streams: 1}
			change(&p, n)
			a.points = append(a.points, p)
		}
		return a
	}
	sizes := []int{rows / 100, rows / 10, rows, 5 * rows, 10 * rows, 20 * rows}
	var labels []string
	for n, size := range sizes {
		if size > largest {
			sizes = sizes[:n]
			break
		}
		labels = append(labels, fmt.Sprint(size))
	}
	codecs := []string{"none", "gzip", "snappy", "lz4", "zstd"}
	hashed := []string{"", "df_session_id,df_device_model,df_language", "event_log_id,df_server_datetime,df_correction_datetime"}
	return []axis{
		vary("rows", labels, func(p *point, n int) { p.data.rows = sizes[n] }),
		vary("columns", []string{"6", "40", "200"}, func(p *point, n int) { p.data.columns = []int{6, 40, 200}[n] }),
		vary("cells", []string{"short", "10 times", "100 times"}, func(p *point, n int) {
			p.data.rows, p.data.long = max(1, rows/20), []int{1, 10, 100}[n]
		}),
		vary("partitions", []string{"1", "6", "60"}, func(p *point, n int) { p.partitions = []int{1, 6, 60}[n] }),
		vary("codec", codecs, func(p *point, n int) { p.codec = codecs[n] }),
		vary("streams at once", []string{"1", "3", "5"}, func(p *point, n int) {
			p.streams = []int{1, 3, 5}[n]
			p.data.rows = max(1, rows/p.streams)
		}),
		vary("hashed columns", []string{"none", "3 whose cells repeat", "3 whose cells are all different"}, func(p *point, n int) { p.data.hashed = hashed[n] }),
		vary("keys", []string{"even", "one has half of the rows"}, func(p *point, n int) { p.data.hot = []float64{0, 0.5}[n] }),
	}
}

// growthCommand prints how the cost of dfinery-kafka grows.
func growthCommand() *cobra.Command {
	var (
		b             bench
		rows, largest int
		only          []string
	)
	cmd := &cobra.Command{Use: "growth", Short: "Measure how the cost of dfinery-kafka grows, one thing changed at a time", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		if rows < 1 {
			return fmt.Errorf("--rows is at least 1")
		}
		list := slices.DeleteFunc(axes(rows, largest), func(a axis) bool { return len(only) > 0 && !slices.Contains(only, a.name) })
		if len(list) == 0 {
			return fmt.Errorf("--only %s: no such table", strings.Join(only, ","))
		}
		return b.growth(cmd.Context(), list, cmd.OutOrStdout(), cmd.ErrOrStderr())
	}}
	flags := cmd.Flags()
	flags.IntVar(&rows, "rows", 1_000_000, "rows of the export where nothing else is said")
	flags.IntVar(&largest, "largest", 10_000_000, "rows of the largest export; with 20000000 it has another point")
	flags.StringSliceVar(&only, "only", nil, "tables, by their names")
	b.place(flags)
	return cmd
}

// growth prints a line as soon as its point was measured and verified.
func (b *bench) growth(ctx context.Context, list []axis, out, progress io.Writer) error {
	clean, err := b.prepare(ctx, progress)
	if err != nil {
		return err
	}
	defer clean()
	for _, a := range list {
		fmt.Fprintf(out, "\n| %s | first: ns a row | MiB | again: ns a row | MiB |\n|---|---|---|---|---|\n", a.name)
		for _, p := range a.points {
			u, err := b.measurePoint(ctx, p)
			if err != nil {
				return fmt.Errorf("%s %s: %w", a.name, p.label, err)
			}
			rows := time.Duration(p.data.rows * p.streams)
			fmt.Fprintf(out, "| %s | %d | %.0f | %d | %.0f |\n", p.label, u[0].CPU/rows, peakOf(u[0]), u[1].CPU/rows, peakOf(u[1]))
		}
	}
	return nil
}

// measurePoint runs dfinery-kafka twice, in separate topics, which it deletes.
func (b *bench) measurePoint(ctx context.Context, p point) (u [2]usage, err error) {
	p.data.day = today()
	prefix := fmt.Sprintf("bench.%d.", time.Now().UnixMilli())
	t := task{brokers: b.brokers, topic: prefix + "rows", day: p.data.day, codec: p.codec, streams: p.streams, hashed: p.data.hashed}
	api, err := p.data.serve(ctx)
	if err != nil {
		return u, err
	}
	defer api.stop()
	t.api = api.address
	for _, topic := range t.topics() {
		if err := createTopic(ctx, b.brokers, topic, p.partitions); err != nil {
			return u, err
		}
	}
	for n, name := range []string{"the first export", "the second export"} {
		if u[n], err = b.measureOne(ctx, contender{name: name, command: ours("run", "--once")}, t, &p.data); err != nil {
			return u, err
		}
	}
	return u, deleteTopics(ctx, b.brokers, prefix)
}
