// Command avro is an example consumer in kafka-go. It prints each row of an Avro topic
// as a JSON object per line. Each value is read with its writer schema, so values with
// different columns can be mixed.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"os"
	"strings"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/sr"
)

func main() {
	brokers := flag.String("brokers", "localhost:9092", "host:port, comma-separated")
	topic := flag.String("topic", "dfinery.events", "the topic of a stream")
	registry := flag.String("registry", "http://localhost:8081", "the schema registry")
	flag.Parse()
	if err := run(context.Background(), strings.Split(*brokers, ","), *topic, *registry, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "avro:", err)
		os.Exit(1)
	}
}

// run reads each partition up to its present end.
func run(ctx context.Context, brokers []string, topic, registry string, out io.Writer) error {
	client, err := sr.NewClient(sr.URLs(registry))
	if err != nil {
		return err
	}
	d := &decoder{registry: client, schemas: map[int]avro.Schema{}}
	conn, err := kafka.DialContext(ctx, "tcp", brokers[0])
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // nothing was written
	partitions, err := conn.ReadPartitions(topic)
	if err != nil {
		return err
	}
	for _, p := range partitions {
		if err := d.read(ctx, brokers, p, out); err != nil {
			return err
		}
	}
	return nil
}

// decoder decodes values, with the schemas that it has read so far.
type decoder struct {
	registry *sr.Client
	schemas  map[int]avro.Schema
}

func (d *decoder) read(ctx context.Context, brokers []string, p kafka.Partition, out io.Writer) error {
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: brokers, Topic: p.Topic, Partition: p.ID, MaxWait: 200 * time.Millisecond})
	defer func() { _ = r.Close() }() // it commits nothing
	for {
		if lag, err := r.ReadLag(ctx); err != nil || lag == 0 {
			return err
		}
		m, err := r.ReadMessage(ctx)
		if err != nil {
			return err
		}
		if len(m.Headers) == 0 { // a control record: kafka-go hands those out
			continue
		}
		cells, err := d.decode(ctx, m.Value)
		if err != nil {
			return fmt.Errorf("partition %d offset %d: %w", m.Partition, m.Offset, err)
		}
		line, err := json.Marshal(cells)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s\n", line)
	}
}

// decode reads a value in Confluent's wire format: a zero byte, the schema's id in four bytes,
// and Avro. Empty cells are left out.
func (d *decoder) decode(ctx context.Context, value []byte) (map[string]any, error) {
	if len(value) < 5 || value[0] != 0 {
		return nil, errors.New("the value has no schema id")
	}
	id := int(binary.BigEndian.Uint32(value[1:]))
	s, known := d.schemas[id]
	if !known {
		text, err := d.registry.SchemaByID(ctx, id)
		if err != nil {
			return nil, err
		}
		if s, err = avro.ParseWithCache(text.Schema, "", new(avro.SchemaCache)); err != nil { // versions share their record's name
			return nil, err
		}
		d.schemas[id] = s
	}
	var cells map[string]any
	if err := avro.Unmarshal(s, value[5:], &cells); err != nil {
		return nil, err
	}
	for name, cell := range cells {
		if cells[name] = plain(cell); cells[name] == nil {
			delete(cells, name)
		}
	}
	return cells, nil
}

// plain is a cell as JSON can have it.
func plain(cell any) any {
	switch v := cell.(type) {
	case map[string]any: // a union's branch, by its type
		for _, branch := range v {
			return plain(branch)
		}
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05.000Z07:00")
	case *big.Rat:
		return v.FloatString(2) // the scale of the column
	}
	return cell
}
