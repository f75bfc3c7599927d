package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
)

// profilesCommand measures a stream of changes: its first export, one of the same snapshot, and
// one that publishes all of it again.
func profilesCommand() *cobra.Command {
	var (
		b        bench
		profiles int
	)
	cmd := &cobra.Command{Use: "profiles", Short: "Measure MODE=changes: the first snapshot of profiles, a known one, for which the topic is read, and one that is published again", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if profiles < 1000 {
				return fmt.Errorf("--profiles is at least 1000")
			}
			return b.profiles(cmd.Context(), profiles, cmd.OutOrStdout(), cmd.ErrOrStderr())
		}}
	cmd.Flags().IntVar(&profiles, "profiles", 1_000_000, "profiles of the snapshot")
	b.place(cmd.Flags())
	return cmd
}

func (b *bench) profiles(ctx context.Context, profiles int, out, progress io.Writer) error {
	clean, err := b.prepare(ctx, progress)
	if err != nil {
		return err
	}
	defer clean()
	api, err := startHelper(ctx, "serve", "--day", today(), "--users", fmt.Sprint(profiles))
	if err != nil {
		return err
	}
	defer api.stop()
	prefix := fmt.Sprintf("bench.%d.", time.Now().UnixMilli())
	fmt.Fprintln(out, "| snapshot | ns a profile | CPU | MiB |\n|---|---|---|---|")
	for _, name := range []string{"first", "known", "again"} {
		records := profiles
		if name == "again" {
			records *= 2
			if _, err := measure(b.changes(ctx, api.address, prefix, "backfill", "users", "--from", today(), "--again", "--yes", "--wait", "0s")); err != nil {
				return err
			}
		}
		u, err := measure(b.changes(ctx, api.address, prefix, "run", "--once"))
		if err == nil {
			err = checkProfiles(ctx, b.brokers, prefix+"users", records)
		}
		if err != nil {
			return fmt.Errorf("the %s snapshot: %w", name, err)
		}
		fmt.Fprintf(out, "| %s | %d | %.2f s | %.0f |\n", name, u.CPU.Nanoseconds()/int64(profiles), u.CPU.Seconds(), peakOf(u))
	}
	return deleteTopics(ctx, b.brokers, prefix)
}

// changes is dfinery-kafka with a stream of changes.
func (b *bench) changes(ctx context.Context, api, prefix string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, b.binary, args...)
	cmd.Env = append(environment(api, b.brokers, prefix), "STREAMS=users",
		"STREAM_USERS_EXPORT=userprofile", "STREAM_USERS_MODE=changes", "STREAM_USERS_TOPIC="+prefix+"users", "STREAM_USERS_POLL_INTERVAL=1ms")
	return cmd
}

// markers is more than takeovers leave in a topic, and less than the number of
// profiles.
const markers = 900

// checkProfiles fails unless the topic has so many records, not counting markers.
func checkProfiles(ctx context.Context, brokers, topic string, profiles int) error {
	return withAdmin(brokers, func(admin *kadm.Client) error {
		ends, err := admin.ListEndOffsets(ctx, topic)
		if err == nil {
			err = ends.Error()
		}
		if err != nil {
			return err
		}
		var records int64
		ends.Each(func(o kadm.ListedOffset) { records += o.Offset })
		if records < int64(profiles)*99/100 || records > int64(profiles)+markers {
			return fmt.Errorf("the topic has %d records, %d should have been published: the figures are invalid", records, profiles)
		}
		return nil
	})
}
