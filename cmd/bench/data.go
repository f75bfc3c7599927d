package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// dataset is the exported data: events of one day; all other days are empty. A
// thousandth of the rows equals the previous row. No cell needs quotes: encoding/csv
// does not preserve a quoted CR LF.
func (f *dataFlags) dataset(day schema.Day) exporttest.Data {
	return exporttest.Data{
		Seed: 1, Columns: f.columns, Users: cmp.Or(f.users, max(1000, f.rows/10)), Duplicates: 0.001, Long: f.long, Hot: f.hot,
		RowsOn: func(d schema.Day) int {
			if d == day {
				return f.rows
			}
			return 0
		},
	}
}

// dataFlags are the flags of the processes that generate the data.
type dataFlags struct {
	rows    int
	columns int // 0 means 40
	long    int // how often the text of a cell is repeated; 0 means once
	hot     float64
	day     string
	users   int    // profiles; 0: derived from the rows
	hashed  string // columns that dfinery-kafka hashes, comma-separated
}

func (f *dataFlags) flags(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.rows, "rows", 0, "rows of the export")
	cmd.Flags().IntVar(&f.columns, "columns", 0, "columns of the export")
	cmd.Flags().IntVar(&f.long, "long", 0, "how often a cell's text is repeated in it")
	cmd.Flags().Float64Var(&f.hot, "hot", 0, "share of the rows that have one key")
	cmd.Flags().IntVar(&f.users, "users", 0, "profiles")
	cmd.Flags().StringVar(&f.day, "day", "", "day of the rows")
	cmd.Flags().StringVar(&f.hashed, "hashed", "", "columns that are published as hashes")
}

func (f *dataFlags) args() []string {
	return []string{"--rows", fmt.Sprint(f.rows), "--columns", fmt.Sprint(f.columns), "--long", fmt.Sprint(f.long), "--hot", fmt.Sprint(f.hot), "--day", f.day, "--hashed", f.hashed}
}

// serve starts the API that exports the data.
func (f *dataFlags) serve(ctx context.Context) (*helper, error) {
	return startHelper(ctx, append([]string{"serve"}, f.args()...)...)
}

// open returns the data with the query that exports it.
func (f *dataFlags) open() (exporttest.Data, exporttest.Query, error) {
	day, err := schema.ParseDay(f.day)
	if err != nil {
		return exporttest.Data{}, exporttest.Query{}, err
	}
	return f.dataset(day), exporttest.Query{Kind: schema.Event, From: day, To: day, Export: 1}, nil
}

// columns returns the columns of the export.
func columns(d exporttest.Data, q exporttest.Query) []string {
	d.RowsOn = func(schema.Day) int { return 0 }
	return d.Export(q).Columns
}

// renderCommand writes the records that kcat produces: key, tab, value, newline.
func renderCommand() *cobra.Command {
	var f dataFlags
	cmd := &cobra.Command{Use: "render", Hidden: true, Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		data, query, err := f.open()
		if err != nil {
			return err
		}
		e := newEncoder(columns(data, query))
		out := bufio.NewWriterSize(os.Stdout, 1<<20)
		var line []byte
		for cells := range data.Rows(query) {
			key, value, err := e.record(cells)
			if err != nil {
				return err
			}
			line = append(append(line[:0], key...), '\t') // encoding/json escapes tabs and newlines
			line = append(append(line, value...), '\n')
			if _, err := out.Write(line); err != nil {
				return err
			}
		}
		return out.Flush()
	}}
	f.flags(cmd)
	return cmd
}
