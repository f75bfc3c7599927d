package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"time"

	"dfinery-kafka/cmd/app"
	"dfinery-kafka/cmd/config"
	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/pipeline"
)

// The simulated service, and the stream's topic.
const (
	service      = "1234"
	token        = "demo-export-token"
	nextToken    = "demo-export-token-2"
	callsPerHour = 20000
	topic        = "dfinery.events"
	partitions   = 6
)

// environment is the connector's complete configuration: short intervals, and defaults
// for everything else. Compression is off, so that a row can be too large for the
// topic.
func environment(api, brokers, from, tokenFile, admin string) [][2]string {
	return [][2]string{
		{"DFINERY_BASE_URL", api},
		{"DFINERY_SERVICE_ID", service},
		{"DFINERY_EXPORT_TOKEN_FILE", tokenFile},
		{"DFINERY_CALLS_PER_HOUR", strconv.Itoa(callsPerHour)},
		{"KAFKA_BROKERS", brokers},
		{"KAFKA_COMPRESSION", "none"},
		{"STREAM_EVENTS_START", from},
		{"STREAM_EVENTS_POLL_INTERVAL", "1s"},
		{"STREAM_EVENTS_LOOKBACK_INTERVAL", "1s"},
		{"BREAKER_FAILURES", "3"},
		{"BREAKER_OPEN_FOR", "1500ms"},
		{"NARROW_AFTER", "10"},
		{"RETRY_BACKOFF", "200ms"},
		{"ADMIN_ADDR", admin},
	}
}

// configure replaces the process's environment: config.Load reads it, and variables
// that a shell has set for a real connector must not affect the demo.
func configure(environ [][2]string) (*config.Config, error) {
	os.Clearenv()
	for _, v := range environ {
		if err := os.Setenv(v[0], v[1]); err != nil {
			return nil, err
		}
	}
	c, _, err := config.Load()
	return c, err
}

// assignments returns variables as NAME=VALUE.
func assignments(environ [][2]string) []string {
	list := make([]string, len(environ))
	for i, v := range environ {
		list[i] = v[0] + "=" + v[1]
	}
	return list
}

// connector is the running connector.
type connector struct {
	*app.App
	stop  context.CancelFunc
	ended chan struct{} // closed once Run has returned
	err   error         // of Run; set before ended is closed
}

func start(ctx context.Context, c *config.Config, log *slog.Logger) (*connector, error) {
	a, err := app.New(c, app.Options{Version: "demo", Log: log})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	k := &connector{App: a, stop: stop, ended: make(chan struct{})}
	go func() {
		defer close(k.ended)
		k.err = a.Run(ctx)
	}()
	return k, nil
}

// runSecond runs a connector in a separate process, configured by its environment.
func runSecond(ctx context.Context) error {
	c, _, err := config.Load()
	if err != nil {
		return err
	}
	k, err := start(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	<-k.ended
	return k.err
}

// end stops the connector like SIGTERM, and waits for it.
func (k *connector) end() error {
	k.stop()
	<-k.ended
	return k.err
}

var errEnded = errors.New("the connector ended unexpectedly")

// await waits until the status of the stream satisfies the condition.
func (k *connector) await(ctx context.Context, condition func(pipeline.StreamStatus) bool) (pipeline.StreamStatus, error) {
	var status pipeline.StreamStatus
	err := k.look(ctx, func() bool {
		streams := k.Service.Status().Streams
		if len(streams) != 1 {
			return false
		}
		status = streams[0]
		return condition(status)
	})
	return status, err
}

// awaitSource waits until the status of the source satisfies the condition.
func (k *connector) awaitSource(ctx context.Context, condition func(*limiter.Status) bool) (*limiter.Status, error) {
	var status *limiter.Status
	err := k.look(ctx, func() bool {
		status = k.Look(time.Now()).Source
		return status != nil && condition(status)
	})
	return status, err
}

// look polls until its condition holds.
func (k *connector) look(ctx context.Context, found func() bool) error {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !found() {
		select {
		case <-again.C:
		case <-k.ended:
			if ctx.Err() == nil { // else it has ended because of that
				return errEnded
			}
			return context.Cause(ctx)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
