package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"dfinery-kafka/cmd/terminal"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == secondProcess {
		if err := runSecond(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	d := Demo{Out: os.Stdout, Colour: terminal.Colours(os.Stdout)}
	flag.IntVar(&d.Days, "days", 7, "days that are exported, today included: 4 to 31")
	flag.IntVar(&d.Rows, "rows", 2000, "rows of a day, at least 100")
	flag.StringVar(&d.Admin, "admin", "127.0.0.1:8088", "where the status page is served, `host:port`; another port if it is in use")
	flag.BoolVar(&d.Keep, "keep", false, "leave it running at the end, until Ctrl-C")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "Show the connector between a simulated Export API and an embedded Kafka broker, and compare both at the end.\n\nUsage: demo [flags]\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() > 0 || d.Days < 4 || d.Days > 31 || d.Rows < 100 {
		fmt.Fprintln(os.Stderr, "demo: --days is 4 to 31, --rows at least 100, and there are no arguments beside flags")
		flag.Usage()
		os.Exit(2)
	}
	program, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	d.Second = []string{program, secondProcess}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := d.Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// secondProcess is the argument with which the demo runs only a connector.
const secondProcess = "connector"
