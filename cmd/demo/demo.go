package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/cmd/terminal"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/ledger"
)

// Demo is one run of the demonstration.
type Demo struct {
	Days   int // that are exported, today included; 4 to 31
	Rows   int // of a day
	Keep   bool
	Out    io.Writer
	Colour bool
}

// limit is when a run that has not come to its end counts as failed.
const limit = time.Minute

// Run tells the story from beginning to end. Its error says what went wrong, or what the comparison found.
func (d Demo) Run(ctx context.Context) error {
	began := time.Now()
	shown := terminal.NewProgress(d.Out, "   exported")
	s := &story{printer: &printer{out: shown, colours: d.Colour}, shown: shown, source: newSource(d.Days, d.Rows, began)}
	api := s.source.api.Start()
	defer api.Close()
	defer api.CloseClientConnections()
	broker, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		return fmt.Errorf("start the embedded broker: %w", err)
	}
	defer broker.Close()
	s.brokers = broker.ListenAddrs()
	s.environ = environment(api.URL, strings.Join(s.brokers, ","), s.source.first.String())
	if s.config, err = configure(s.environ); err != nil {
		return fmt.Errorf("the demo's own configuration is wrong: %w", err)
	}
	s.introduce(d)
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := s.tell(timed, ctx); err != nil {
		return err
	}
	s.summarize(time.Since(began))
	if d.Keep {
		s.invite()
		return s.stay(ctx)
	}
	return s.connector.end()
}

// story is a run under way.
type story struct {
	*printer
	shown     *terminal.Progress
	source    *source
	brokers   []string
	environ   [][2]string
	config    *config.Config
	connector *connector
	compared  Comparison
	letters   int // dead letters at the end
}

// tell runs the chapters within ctx; the connector lives as long as life.
func (s *story) tell(ctx, life context.Context) (err error) {
	log := slog.New(feed{s.printer})
	if s.connector, err = start(life, s.config, log); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.connector.end())
		}
	}()
	if err := s.exportAll(ctx); err != nil {
		return err
	}
	if err := s.showDeadLetters(ctx); err != nil {
		return err
	}
	if err := s.showRecords(ctx); err != nil {
		return err
	}
	s.headline(5, "Late rows, and a restart")
	if err := s.connector.end(); err != nil {
		return err
	}
	s.source.late.Store(true)
	s.line(plain, "   The connector was stopped. Meanwhile %d late rows of two days have reached DFINERY. A new instance starts: it has", s.source.lateRows())
	s.line(plain, "   no disk, all that it knows is in Kafka. It exports today and the two days of the lookback again:")
	if s.connector, err = start(life, s.config, log); err != nil {
		return err
	}
	if err := s.exportLate(ctx); err != nil {
		return err
	}
	return s.compare(ctx)
}

func (s *story) exportAll(ctx context.Context) error {
	s.headline(2, "Every day is exported, and three things go wrong")
	days := int(s.source.last-s.source.first) + 1
	return s.awaitDays(ctx, days, func(day pipeline.DayStatus) bool { return day.State == ledger.Open || day.State == ledger.Settled })
}

func (s *story) exportLate(ctx context.Context) error {
	return s.awaitDays(ctx, lateDays, func(day pipeline.DayStatus) bool {
		return s.source.hasLate(day.Day) && day.Rows == s.source.api.Data.RowsOn(day.Day)
	})
}

// awaitDays waits until so many of the demo's days are as they should be and none of these is being exported, and shows them all.
func (s *story) awaitDays(ctx context.Context, days int, as func(pipeline.DayStatus) bool) error {
	status, err := s.connector.await(ctx, func(st pipeline.StreamStatus) bool {
		done := 0
		for _, day := range st.Days {
			if day.Day >= s.source.first && day.Day <= s.source.last && !day.Running && as(day) {
				done++
			}
		}
		s.shown.At(done, days, s.shown.Days(s.connector.Moved()))
		return done == days
	})
	s.shown.End()
	if err != nil {
		return fmt.Errorf("wait for %d days: %w", days, err)
	}
	s.table(status)
	return nil
}

// stay keeps everything running until ctx ends.
func (s *story) stay(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return s.connector.end()
	case <-s.connector.ended:
		return errors.Join(errEnded, s.connector.err)
	}
}
