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
	"dfinery-kafka/pipeline"
)

// The simulated service.
const (
	service      = "1234"
	token        = "demo-export-token"
	callsPerHour = 10000
)

// environment is the connector's whole configuration: short intervals, everything else as by default.
func environment(api, brokers, from string) [][2]string {
	return [][2]string{
		{"DFINERY_BASE_URL", api},
		{"DFINERY_SERVICE_ID", service},
		{"DFINERY_EXPORT_TOKEN", token},
		{"DFINERY_CALLS_PER_HOUR", strconv.Itoa(callsPerHour)},
		{"KAFKA_BROKERS", brokers},
		{"STREAM_EVENTS_START", from},
		{"STREAM_EVENTS_POLL_INTERVAL", "2s"},
		{"STREAM_EVENTS_LOOKBACK_INTERVAL", "2s"},
		{"RETRY_BACKOFF", "500ms"},
		{"ADMIN_ADDR", "127.0.0.1:0"},
	}
}

// configure puts that environment in the place of the user's: config.Load reads the process's, and whatever a shell has set
// for a real connector must not reach this one.
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

// connector is the real one, running.
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

// end stops the connector as SIGTERM does, and waits for it.
func (k *connector) end() error {
	k.stop()
	<-k.ended
	return k.err
}

var errEnded = errors.New("the connector has ended by itself")

// await waits until the status of the stream satisfies the condition.
func (k *connector) await(ctx context.Context, condition func(pipeline.StreamStatus) bool) (pipeline.StreamStatus, error) {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		if streams := k.Service.Status().Streams; len(streams) == 1 && condition(streams[0]) {
			return streams[0], nil
		}
		select {
		case <-look.C:
		case <-k.ended:
			return pipeline.StreamStatus{}, errEnded
		case <-ctx.Done():
			return pipeline.StreamStatus{}, context.Cause(ctx)
		}
	}
}
