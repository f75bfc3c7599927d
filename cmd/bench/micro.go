package main

import (
	"fmt"
	"os/exec"

	"github.com/spf13/cobra"
)

// microCommand runs the benchmarks of the packages that process rows.
func microCommand() *cobra.Command {
	var count int
	cmd := &cobra.Command{
		Use: "micro", Short: "Run the packages' own benchmarks: CSV, fingerprint, JSON, the set of fingerprints, batches by codec", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			root, err := repository(cmd.Context())
			if err != nil {
				return err
			}
			test := exec.CommandContext(cmd.Context(), "go", "test", "-run", "^$", "-bench", ".", "-count", fmt.Sprint(count),
				"./connector/csv", "./schema/...", "./pipeline/dedup", "./pipeline/ledger/store", "./pipeline/profiles", "./pipeline/recordbatch")
			test.Dir, test.Stdout, test.Stderr = root, cmd.OutOrStdout(), cmd.ErrOrStderr()
			return test.Run()
		},
	}
	cmd.Flags().IntVar(&count, "count", 1, "how often each runs; benchstat wants 6")
	return cmd
}
