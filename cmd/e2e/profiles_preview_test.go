package e2e

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestProfiles_Preview compares the records that preview shows of a stream with MODE=changes with
// those that run publishes: before the first run, after it, and after partitions were added.
func TestProfiles_Preview(t *testing.T) {
	t.Parallel()
	b, source := newUsers(t, 20)
	source.set(func(s *profileSource) { s.next.insert = []string{"twice,a\ntwice,a\ntwice,b\n"} })
	previews := []previewed{b.preview(0, "users", "--rows", "100")}
	b.runOnce(0)
	previews = append(previews, b.preview(0, "users", "--rows", "100"))
	published, letters := b.consume("users", kgo.ReadUncommitted()), letterTexts(t, b.consume("dead-letters", kgo.ReadUncommitted()))
	b.growTopic("users", 9)
	previews = append(previews, b.preview(0, "users", "--rows", "100"))
	for _, p := range previews {
		if diff := cmp.Diff(comparable(published, false, true), comparable(previewedMessages(p.Records), false, true)); diff != "" {
			t.Errorf("records (-published +previewed):\n%s", diff)
		}
		if diff := cmp.Diff(letters, letterTexts(t, previewedMessages(p.Letters))); diff != "" {
			t.Errorf("dead letters (-published +previewed):\n%s", diff)
		}
	}
}
