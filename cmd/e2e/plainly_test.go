package e2e

import (
	"os"
	"strings"
	"testing"

	"dfinery-kafka/connector/exporttest"
)

// TestForbiddenIsExplained: a command that lacks a right says what prints the way to it.
func TestForbiddenIsExplained(t *testing.T) {
	t.Parallel()
	s := newSituation(t)
	s.ran()
	s.user("newcomer", "password-of-a-test")
	for _, args := range []string{"status", "dlq list", "dlq show 0/0", "pause events"} {
		if out, got := s.run(strings.Fields(args)...); got.Code != 1 || !strings.HasSuffix(got.Stderr, "\ndfinery-kafka check prints the command that grants the right\n") {
			t.Errorf("%s: exit %d: %s%s", args, got.Code, out, got.Stderr)
		}
	}
}

// TestInterrupted: a command that is interrupted while it waits for the owner says what becomes of it.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	b := newBench(t, new(exporttest.Server))
	b.unbounded()
	b.once(0)
	p := b.start(binary, nil, "pause", "events", "--wait", "1h")
	b.eventually(func() bool {
		_, state := b.books()
		return len(state.Commands) > 0
	})
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-p.done
	waited, given := "dfinery-kafka: pause events: interrupt signal received: it stays in the ledger, and the owner carries it out all the same\n",
		"dfinery-kafka: ended before it was done: interrupt signal received\n" // Kafka has it, and has not answered
	if text, code := p.text(), p.cmd.ProcessState.ExitCode(); code != 1 || text != waited && text != given {
		t.Errorf("exit %d: %s", code, text)
	}
}
