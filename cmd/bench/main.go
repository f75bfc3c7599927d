// Command bench measures dfinery-kafka beside plain programs that do the same work, and beside kcat.
//
// It prepares everything: a Kafka, a simulated Export API, the binary. Contenders run in turns, each as a process of its own. After
// each run the topic is compared with what the API served, cell by cell; a run that was wrong ends the benchmark, and no figure
// of it is shown.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	if err := rootCommand().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
