package pipeline_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
)

// TestRightsAreDocumented compares the rights with those that deploy/KAFKA.md lists.
func TestRightsAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../deploy/KAFKA.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "<!-- rights -->\n")
	table, _, ok := strings.Cut(rest, "<!-- /rights -->")
	if !ok {
		t.Fatal("the page has no markers for the rights")
	}
	s := &pipeline.Config{ID: "1234", LedgerTopic: "dfinery.ledger", DeadLetterTopic: "dfinery.dead-letters", CreateTopics: true,
		Streams: []transfer.Stream{{StreamConfig: schedule.StreamConfig{Name: "events", Topic: "dfinery.events"}}}}
	want := "| resource | name | operation | needed to |\n|---|---|---|---|\n"
	for _, r := range s.Rights() {
		op := string(r.Operation)
		if r.Optional {
			op = "*" + op + "*"
		}
		want += fmt.Sprintf("| %s | `%s` | %s | %s |\n", r.Resource, r.Name, op, r.Purpose)
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("deploy/KAFKA.md (-want +got):\n%s", diff)
	}
}

// TestRightsFollowTheConfiguration: a service that creates no topics and does not fence needs
// fewer rights.
func TestRightsFollowTheConfiguration(t *testing.T) {
	t.Parallel()
	s := &pipeline.Config{ID: "1234", LedgerTopic: "l", DeadLetterTopic: "d", AtLeastOnce: true, Streams: []transfer.Stream{{StreamConfig: schedule.StreamConfig{Name: "a", Topic: "t"}}}}
	var got []string
	for _, r := range s.Rights() {
		got = append(got, r.String())
	}
	var want []string
	for _, topic := range []string{"l", "l.rows", "d", "t"} {
		for _, op := range []cluster.Operation{cluster.Write, cluster.Read, cluster.DescribeConfigs} {
			want = append(want, fmt.Sprintf("%s on topic %s", op, topic))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rights (-want +got):\n%s", diff)
	}
}
