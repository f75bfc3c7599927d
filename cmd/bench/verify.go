package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/cluster/clustertest"
)

// verifyCommand compares each topic with the data: the same rows the same number of times,
// cell by cell, with the right keys.
func verifyCommand() *cobra.Command {
	var (
		f       dataFlags
		brokers string
		topics  []string
		listed  int
	)
	cmd := &cobra.Command{Use: "verify", Hidden: true, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		for _, topic := range topics {
			if err := verify(cmd.Context(), &f, brokers, topic, listed); err != nil {
				return err
			}
		}
		return nil
	}}
	f.flags(cmd)
	cmd.Flags().StringVar(&brokers, "brokers", "", "HOST:PORT of the brokers")
	cmd.Flags().StringSliceVar(&topics, "topics", nil, "topics to read")
	cmd.Flags().IntVar(&listed, "listed", 2_000_000, "up to how many rows each is looked for; of more a digest is compared")
	return cmd
}

func verify(ctx context.Context, f *dataFlags, brokers, topic string, listed int) error {
	data, query, err := f.open()
	if err != nil {
		return err
	}
	if f.rows > listed {
		return verifyDigest(ctx, data, query, f.hashed, brokers, topic)
	}
	have := make(map[identity]int, f.rows)
	var e rowIdentity
	records := 0
	err = consume(ctx, brokers, topic, func(r *kgo.Record) error {
		id, err := e.record(r.Key, r.Value)
		if err != nil {
			return fmt.Errorf("partition %d offset %d: %w: %.2000s", r.Partition, r.Offset, err, r.Value)
		}
		have[id]++
		records++
		return nil
	})
	if err != nil {
		return err
	}
	names := columns(data, query)
	hide := newHiding(names, f.hashed)
	missing := 0
	var first []string
	for cells := range data.Rows(query) {
		id := e.cells(names, hide.public(cells))
		if have[id]--; have[id] < 0 {
			if missing++; first == nil {
				first = cells
			}
		}
	}
	// With as many rows as records, and no row without a record, there is no extra
	// record.
	if missing > 0 || records != f.rows {
		return fmt.Errorf("%s holds %d records, the export %d rows; %d rows have no record, the first of them: %q", topic, records, f.rows, missing, first)
	}
	return nil
}

// verifyDigest compares sums of the rows' identities, which are hashes of 128 bits:
// different multisets of rows do not accidentally have equal sizes and sums. It needs
// no memory for the rows.
func verifyDigest(ctx context.Context, data exporttest.Data, query exporttest.Query, hashed, brokers, topic string) error {
	type digest struct {
		rows   int
		hi, lo uint64
	}
	var have, want digest
	var e rowIdentity
	err := consume(ctx, brokers, topic, func(r *kgo.Record) error {
		id, err := e.record(r.Key, r.Value)
		have = digest{have.rows + 1, have.hi + id.Hi, have.lo + id.Lo}
		return err
	})
	if err != nil {
		return err
	}
	names := columns(data, query)
	hide := newHiding(names, hashed)
	for cells := range data.Rows(query) {
		id := e.cells(names, hide.public(cells))
		want = digest{want.rows + 1, want.hi + id.Hi, want.lo + id.Lo}
	}
	if have != want {
		return fmt.Errorf("%s holds %d records of the digest %x %x, the export %d rows of %x %x", topic, have.rows, have.hi, have.lo, want.rows, want.hi, want.lo)
	}
	return nil
}

// consume reads a topic from its start to its end.
func consume(ctx context.Context, brokers, topic string, each func(*kgo.Record) error) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...), kgo.KeepControlRecords(), kgo.FetchMaxBytes(8<<20))
	if err != nil {
		return err
	}
	defer client.Close()
	return clustertest.ReadTopic(ctx, client, topic, nil, each)
}
