package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// rootCommand is the benchmark; its hidden subcommands are the processes that it starts.
func rootCommand() *cobra.Command {
	var b bench
	root := &cobra.Command{
		Use:   "bench",
		Short: "Measure dfinery-kafka beside plain programs and kcat",
		Long: `Measure dfinery-kafka beside encoding/csv + encoding/json + kafka-go, the same with franz-go, and kcat (only producing
records that were rendered before), when installed. All write with snappy and acks=all.

Without --brokers or --kfake it starts an Apache Kafka with deploy/kafka-up.sh, which needs Java and Maven. Run it from within the
repository. Processor time counts user and system time of the process alone, not of Kafka or of the simulated API.`,
		Example: `  go run ./cmd/bench                               # all, in about eight minutes
  go run ./cmd/bench --rows 5000000 --rounds 1 --only ours
  go run ./cmd/bench growth                        # how the cost grows with rows, columns, partitions and so on
  go run ./cmd/bench formats                       # what each format of values costs
  go run ./cmd/bench profiles --profiles 10000000  # MODE=changes
  go run ./cmd/bench micro                         # the packages' own benchmarks`,
		Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case b.rows < 1 || b.rounds < 1 || b.partitions < 1:
				return errors.New("--rows, --rounds and --partitions are at least 1")
			case b.kfake && b.brokers != "":
				return errors.New("--kfake and --brokers exclude each other")
			}
			return b.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := root.Flags()
	flags.IntVar(&b.rows, "rows", 1_000_000, "rows of the export")
	flags.IntVar(&b.rounds, "rounds", 5, "runs of each contender")
	flags.IntVar(&b.partitions, "partitions", 6, "partitions of the topic")
	b.place(flags)
	flags.StringVar(&b.out, "out", "bench-out/export.txt", "the file for benchstat; empty: none")
	flags.StringSliceVar(&b.only, "only", nil, "contenders, by the beginning of their names")
	root.AddCommand(growthCommand(), formatsCommand(), profilesCommand(), microCommand(), serveCommand(), brokerCommand(), kafkaGoCommand(), franzGoCommand(), renderCommand(), verifyCommand())
	return root
}

// place adds the flags for the measured binary and the brokers.
func (b *bench) place(flags *pflag.FlagSet) {
	flags.StringVar(&b.brokers, "brokers", "", "a running Kafka, HOST:PORT,…; topics named bench… are created and deleted")
	flags.BoolVar(&b.kfake, "kfake", false, "an embedded broker instead of a real Kafka: it keeps all records in memory")
	flags.StringVar(&b.binary, "binary", "", "the dfinery-kafka to measure; empty: build it")
}

// task is the input of a contender.
type task struct {
	api, brokers, topic string
	day                 string
	codec               string // of dfinery-kafka; empty: the default
	hashed              string // columns that dfinery-kafka hashes
	format, registry    string // of dfinery-kafka; empty: JSON
	streams             int    // concurrent streams of dfinery-kafka; each has its own topic, and all have the same rows
}

// topics returns the topics of the streams.
func (t *task) topics() []string {
	topics := []string{t.topic}
	for n := 1; n < t.streams; n++ {
		topics = append(topics, fmt.Sprintf("%s.%d", t.topic, n))
	}
	return topics
}

func (t *task) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.api, "api", "", "URL of the Export API")
	cmd.Flags().StringVar(&t.brokers, "brokers", "", "HOST:PORT of the brokers")
	cmd.Flags().StringVar(&t.topic, "topic", "", "topic to fill")
	cmd.Flags().StringVar(&t.day, "day", "", "day to export")
}

func (t *task) args() []string {
	return []string{"--api", t.api, "--brokers", t.brokers, "--topic", t.topic, "--day", t.day}
}
