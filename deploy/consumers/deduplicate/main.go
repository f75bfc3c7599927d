// Command deduplicate prints the value of each row of a topic once: an example of a consumer,
// in kafka-go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/segmentio/kafka-go"
)

// keep is how long rows of a day may still be published: the API's 30 days, and a margin.
const keep = 35 * 24 * time.Hour

func main() {
	brokers := flag.String("brokers", "localhost:9092", "host:port, comma-separated")
	topic := flag.String("topic", "dfinery.events", "the topic of a stream")
	untilEnd := flag.Bool("until-end", false, "end at what is the end of the topic now")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, strings.Split(*brokers, ","), *topic, *untilEnd, os.Stdout)
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "deduplicate:", err)
		os.Exit(1)
	}
}

// run reads all partitions from their starts, up to their present ends or for ever.
func run(ctx context.Context, brokers []string, topic string, untilEnd bool, out io.Writer) error {
	conn, err := kafka.DialContext(ctx, "tcp", brokers[0])
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // nothing was written
	partitions, err := conn.ReadPartitions(topic)
	if err != nil {
		return err
	}
	d := &deduplicator{seen: map[string]map[string]bool{}, out: out}
	var readers sync.WaitGroup
	defer readers.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	messages, ended := make(chan kafka.Message), make(chan error, len(partitions))
	for _, p := range partitions {
		readers.Go(func() { ended <- follow(ctx, brokers, p, untilEnd, messages) })
	}
	for left := len(partitions); left > 0; {
		select {
		case m := <-messages:
			if err := d.take(m); err != nil {
				return err
			}
		case err := <-ended:
			if err != nil {
				return err
			}
			left--
		}
	}
	return nil
}

// follow hands on a partition's messages.
func follow(ctx context.Context, brokers []string, p kafka.Partition, untilEnd bool, messages chan<- kafka.Message) error {
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: brokers, Topic: p.Topic, Partition: p.ID, MaxWait: 200 * time.Millisecond})
	defer func() { _ = r.Close() }() // it commits nothing
	for {
		if untilEnd {
			if lag, err := r.ReadLag(ctx); err != nil || lag == 0 {
				return err
			}
		}
		m, err := r.ReadMessage(ctx)
		if err != nil {
			return err
		}
		select {
		case messages <- m:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// deduplicator knows a row by what is the same for it forever: its id, with service, stream and
// day.
type deduplicator struct {
	seen map[string]map[string]bool // ids by SERVICE/STREAM/DAY
	out  io.Writer
}

func (d *deduplicator) take(m kafka.Message) error {
	var id, export string
	for _, h := range m.Headers {
		switch h.Key {
		case "id":
			id = string(h.Value)
		case "export":
			export = string(h.Value)
		case "op": // a profile that changes from A to B and back has A's id twice
			return errors.New("the topic is that of a stream with MODE=changes, which must not be deduplicated by id: read it as a table, as deploy/consumers/profiles.sh does")
		}
	}
	slash := strings.LastIndexByte(export, '/')
	if id == "" || slash < 0 { // a control record: kafka-go hands them out, too
		return nil
	}
	day := export[:slash]
	if d.seen[day] == nil {
		d.forget()
		d.seen[day] = map[string]bool{}
	}
	if d.seen[day][id] {
		return nil
	}
	d.seen[day][id] = true
	_, err := fmt.Fprintf(d.out, "%s\n", m.Value)
	return err
}

// forget drops the days of which nothing can come any more.
func (d *deduplicator) forget() {
	for day := range d.seen {
		date, err := time.Parse(time.DateOnly, day[strings.LastIndexByte(day, '/')+1:])
		if err == nil && time.Since(date) > keep {
			delete(d.seen, day)
		}
	}
}
