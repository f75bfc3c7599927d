// Command simulator serves a simulated DFINERY Export API, so that dfinery-kafka
// can be tried without an account: new events appear continuously, and queries and
// downloads fail occasionally.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "simulator:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("wrong flags")

func run(ctx context.Context, args []string, out, messages io.Writer) error {
	s := Simulator{Out: out}
	flags := flag.NewFlagSet("simulator", flag.ContinueOnError)
	flags.SetOutput(messages)
	flags.Usage = func() {
		fmt.Fprint(messages, "Serve a simulated DFINERY Export API until Ctrl-C.\n\nUsage: simulator [flags]\n\n")
		flags.PrintDefaults()
	}
	flags.StringVar(&s.Addr, "addr", "127.0.0.1:8090", "address to listen on, `host:port`")
	flags.StringVar(&s.Service, "service", "1234", "id of the service")
	flags.StringVar(&s.Token, "token", "export-token", "Export token that is accepted")
	flags.IntVar(&s.Days, "days", 31, "days that have rows, including today")
	flags.IntVar(&s.Rows, "rows", 2000, "rows per day")
	flags.IntVar(&s.Columns, "columns", 16, "columns of an event export, 6 or more")
	flags.IntVar(&s.CallsPerHour, "quota", 100, "calls allowed in any hour; -1: no limit")
	flags.IntVar(&s.FailEvery, "fail-every", 12, "one in so many calls fails with query_error; 0: none")
	flags.IntVar(&s.CutEvery, "cut-every", 17, "one in so many calls has its download cut; 0: none")
	flags.BoolVar(&s.BadRows, "bad-rows", true, "add one malformed row to each past day and each snapshot")
	flags.Float64Var(&s.Late, "late", 0.02, "share of the rows that appear late, 0 to 1")
	flags.DurationVar(&s.LateAfter, "late-after", time.Hour, "how long after the end of their day late rows appear")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage // which the flag package has printed
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(messages, "simulator: unexpected argument %q\n", flags.Arg(0))
		flags.Usage()
		return errUsage
	}
	if err := s.check(); err != nil {
		fmt.Fprintln(messages, "simulator:", err)
		return errUsage
	}
	return s.Run(ctx)
}
