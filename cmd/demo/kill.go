package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/schema"
)

// kill lets a second process take over the service, kills it in the middle of an
// export, and starts another connector.
func (s *demoRun) kill(ctx context.Context, begin func() error) error {
	s.headline("Late rows, and kill -9 in the middle of an export")
	if err := s.connector.end(); err != nil {
		return err
	}
	s.connector = nil
	s.source.stall()
	s.line(plain, "   The connector was stopped, and %d late rows of two days have reached DFINERY. A connector in a process of its own", s.source.lateRows())
	s.line(plain, "   begins to publish them, while the API answers slowly:")
	second, err := s.startSecond(ctx)
	if err != nil {
		return err
	}
	published, err := s.awaitLate(ctx, second)
	second.kill()
	if err != nil {
		return err
	}
	s.line(red, "   kill -9: process %d is gone. %d late rows were in %s, and it had not finished.", second.cmd.Process.Pid, published, s.config.Streams[0].Topic)
	if err := s.raiseLimit(ctx); err != nil {
		return fmt.Errorf("raise the topic's limit: %w", err)
	}
	s.line(plain, "   A new connector starts. It has no disk: all that it knows is in Kafka, where it finds those rows. It exports today")
	s.line(plain, "   and the two days of the lookback again, and publishes what is missing:")
	if err := begin(); err != nil {
		return err
	}
	return s.exportLate(ctx)
}

// process is a connector in a separate process.
type process struct {
	cmd    *exec.Cmd
	said   bytes.Buffer
	exited chan struct{}
}

func (s *demoRun) startSecond(ctx context.Context) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, s.second[0], s.second[1:]...), exited: make(chan struct{})}
	p.cmd.Env = append(assignments(s.environ), "ADMIN_ADDR=")
	p.cmd.Stderr = &p.said
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a second process: %w", err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // the error says that it was killed
	}()
	return p, nil
}

// kill ends the process like kill -9, and waits for it.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// awaitLate waits until the process has published all late rows that the API sends, and
// returns their number.
func (s *demoRun) awaitLate(ctx context.Context, p *process) (int, error) {
	topic := string(s.config.Streams[0].Topic)
	client, err := kgo.NewClient(kgo.SeedBrokers(s.brokers...), kgo.ConsumeTopics(topic), kgo.FetchMaxWait(100*time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-p.exited:
			cancel(errors.New("the second process ended unexpectedly: " + p.said.String()))
		case <-ctx.Done():
		}
	}()
	rows := 0 // of all days
	for rows < s.source.servedWhileSlow() {
		fetched := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		if err := fetched.Err(); err != nil {
			return 0, fmt.Errorf("read %s: %w", topic, err)
		}
		fetched.EachRecord(func(r *kgo.Record) {
			if day, err := schema.ParseDay(messageOf(r).Day()); err == nil && day <= s.source.last {
				rows++
			}
		})
	}
	return rows - s.source.before(), nil
}
