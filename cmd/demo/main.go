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
	d := Demo{Out: os.Stdout, Colour: terminal.Colours(os.Stdout)}
	flag.IntVar(&d.Days, "days", 7, "days that are exported, today included: 4 to 31")
	flag.IntVar(&d.Rows, "rows", 2000, "rows of a day, at least 100")
	flag.BoolVar(&d.Keep, "keep", false, "leave it running at the end, until Ctrl-C")
	flag.Parse()
	if flag.NArg() > 0 || d.Days < 4 || d.Days > 31 || d.Rows < 100 {
		fmt.Fprintln(os.Stderr, "demo: --days is 4 to 31, --rows at least 100, and there are no arguments beside flags")
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := d.Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}
