package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"dfinery-kafka/pipeline/cluster"
)

// unsaid is how long a broker may take until somebody is told what is waited for: as long as a wait is not felt.
const unsaid = 500 * time.Millisecond

// contact finds out whether Kafka can be reached at all, before anything is asked of it: a firewall that swallows everything would have
// each request wait for its own time limit, without a word.
func contact(ctx context.Context, stderr io.Writer, kafka *cluster.Cluster) error {
	said := time.AfterFunc(unsaid, func() {
		fmt.Fprintf(stderr, "no answer yet from Kafka at %s (KAFKA_BROKERS), waiting for up to %s\n", kafka.Bootstrap(), cluster.Patience)
	})
	defer said.Stop()
	err := kafka.Ping(ctx)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil: // the caller no longer waits for an answer
		return fmt.Errorf("reach Kafka at %s: %v", kafka.Bootstrap(), context.Cause(ctx))
	}
	return fmt.Errorf("reach Kafka:\n  %s\nsee dfinery-kafka check", strings.ReplaceAll(err.Error(), "\n", "\n  "))
}
