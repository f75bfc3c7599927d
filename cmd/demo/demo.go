package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/cmd/terminal"
)

// Demo is one run of the demonstration.
type Demo struct {
	Days   int // exported days including today; 4 to 31
	Rows   int // rows per day
	Keep   bool
	Admin  string // host:port of the status page; another free port if it is in use
	Out    io.Writer
	Colour bool
	// Second is the command that runs a connector in a separate process, with the given
	// environment.
	Second []string
}

// limit is the maximum duration of a run.
const limit = time.Minute

// Run runs the demo. Its error is a failure, or the differences that the comparison
// found.
func (d Demo) Run(ctx context.Context) error {
	began := time.Now()
	shown := terminal.NewProgress(d.Out, "   exported")
	s := &demoRun{printer: &printer{out: shown, colours: d.Colour}, shown: shown, source: newSource(d.Days, d.Rows, began), second: d.Second}
	var err error
	if s.folder, err = os.MkdirTemp("", "dfinery-demo-"); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(s.folder) }() // it is in the system's temporary directory
	api := s.source.api.Start()
	defer api.Close()
	defer api.CloseClientConnections()
	broker, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		return fmt.Errorf("start the embedded broker: %w", err)
	}
	defer broker.Close()
	s.brokers = broker.ListenAddrs()
	if err := s.prepare(ctx, api.URL, d.Admin); err != nil {
		return err
	}
	s.printIntroduction(d)
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := s.runSteps(timed, ctx); err != nil {
		return err
	}
	s.summarize(time.Since(began))
	if d.Keep {
		if err := s.printCommands(); err != nil {
			return errors.Join(err, s.connector.end())
		}
		return s.keepRunning(ctx)
	}
	return s.connector.end()
}

// demoRun is the state of a run of the demo.
type demoRun struct {
	*printer
	shown     *terminal.Progress
	source    *source
	folder    string // directory with the token and the environment
	brokers   []string
	environ   [][2]string
	config    *config.Config
	second    []string
	connector *connector
	compared  Comparison
	letters   int // dead letters at the end
	steps     int // shown so far
}

// prepare creates the topic, the token file and the configuration.
func (s *demoRun) prepare(ctx context.Context, api, admin string) error {
	if err := s.createTopic(ctx); err != nil {
		return fmt.Errorf("create the topic: %w", err)
	}
	if err := s.writeToken(token); err != nil {
		return fmt.Errorf("write the token: %w", err)
	}
	s.environ = environment(api, strings.Join(s.brokers, ","), s.source.first.String(), s.tokenFile(), freeAddress(ctx, admin))
	var err error
	if s.config, err = configure(s.environ); err != nil {
		return fmt.Errorf("the demo's own configuration is wrong: %w", err)
	}
	return nil
}

// runSteps runs the steps within ctx; the connector runs until lifetime ends.
func (s *demoRun) runSteps(ctx, lifetime context.Context) (err error) {
	log := slog.New(feed{s.printer})
	begin := func() (err error) {
		s.connector, err = start(lifetime, s.config, log)
		return err
	}
	if err := begin(); err != nil {
		return err
	}
	defer func() {
		if err != nil && s.connector != nil {
			err = errors.Join(err, s.connector.end())
		}
	}()
	for _, step := range []func(context.Context) error{
		s.exportAll, s.showDeadLetters, s.showRecords, s.breakAPI, s.replaceToken,
		func(ctx context.Context) error { return s.kill(ctx, begin) },
		s.replay, s.compare,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// keepRunning keeps everything running until ctx ends.
func (s *demoRun) keepRunning(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return s.connector.end()
	case <-s.connector.ended:
		return errors.Join(errEnded, s.connector.err)
	}
}
