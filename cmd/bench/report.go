package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"text/tabwriter"
)

// report has the measurements: results[i] are the runs of list[i].
type report struct {
	rows, partitions int
	kafka            string
	list             []contender
	results          [][]usage
}

// The documented peak memory of dfinery-kafka: a constant, and bytes per row.
const (
	memoryFixed  = 64 << 20
	memoryPerRow = 24
)

// table prints the medians, the spread of the runs, and the ratios to the first
// contender.
func (r *report) table(out io.Writer) {
	fmt.Fprintf(out, "\n%d rows of 40 columns, %d partitions, snappy, acks=all, %s, %s, %d runs each, in turns\n\n",
		r.rows, r.partitions, r.kafka, runtime.Version(), len(r.results[0]))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "cpu s\tmin\tmax\tratio\twall s\tpeak MiB\t  contender")
	first := median(r.results[0], cpuOf)
	for i, c := range r.list {
		u := r.results[i]
		cpu := median(u, cpuOf)
		fmt.Fprintf(w, "%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.1f\t  %s: %s\n", cpu, slices.Min(each(u, cpuOf)), slices.Max(each(u, cpuOf)), cpu/first,
			median(u, wallOf), median(u, peakOf), c.name, c.what)
	}
	_ = w.Flush() // to the terminal
	fmt.Fprintf(out, "\nours may hold %.1f MiB: %d MiB and %d bytes a row\n", mebibytes(memoryFixed+memoryPerRow*int64(r.rows)), memoryFixed>>20, memoryPerRow)
}

// save writes the input of benchstat (the Go benchmark data format): one line per run.
func (r *report) save(path string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "goos: %s\ngoarch: %s\npkg: dfinery-kafka/cmd/bench\nrows: %d\npartitions: %d\nkafka: %s\n", runtime.GOOS, runtime.GOARCH, r.rows, r.partitions, r.kafka)
	for i, c := range r.list {
		for _, u := range r.results[i] {
			fmt.Fprintf(&b, "BenchmarkExport/%s 1 %.3f cpu-sec/op %.3f sec/op %d peak-B/op\n", c.name, cpuOf(u), wallOf(u), u.Peak)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o666)
}

func cpuOf(u usage) float64  { return u.CPU.Seconds() }
func wallOf(u usage) float64 { return u.Wall.Seconds() }
func peakOf(u usage) float64 { return mebibytes(u.Peak) }

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

func each[T cmp.Ordered](list []usage, of func(usage) T) []T {
	values := make([]T, len(list))
	for i, u := range list {
		values[i] = of(u)
	}
	return values
}

func median(list []usage, of func(usage) float64) float64 {
	values := each(list, of)
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
