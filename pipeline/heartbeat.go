package pipeline

import (
	"context"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/producer"
)

// heartbeat writes the owner's record in the ledger, by which standbys notice that it
// is alive.
type heartbeat struct {
	content ledger.Owner
	writer  *store.Writer
	session *producer.Session
}

// begin sets the owner of the record.
func (h *heartbeat) begin(c *Config, now time.Time) {
	h.content = ledger.Owner{Instance: c.Instance, Host: c.Host, Version: c.Version, Since: now, ProducerID: h.session.Identity().ID}
}

// beat writes a heartbeat.
func (h *heartbeat) beat(ctx context.Context) error {
	h.content.Beat, h.content.Epoch = time.Now().UTC(), h.session.Identity().Epoch
	if err := h.writer.Owner(&h.content); err != nil {
		return err
	}
	return h.session.Flush(ctx, h.writer.State)
}

// during does long work and beats meanwhile. If a heartbeat fails, it ends the context of the work
// and returns that error once the work has ended. The work must not write to the ledger.
func (h *heartbeat) during(ctx context.Context, every time.Duration, work func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var result error
	done := make(chan struct{})
	go func() {
		defer close(done)
		result = work(ctx)
	}()
	for tick := time.Tick(every); ; {
		select {
		case <-done:
			return result
		case <-tick:
			if err := h.beat(ctx); err != nil {
				stop()
				<-done
				return err
			}
		}
	}
}

// release makes the next heartbeat say that a standby need not wait.
func (h *heartbeat) release() { h.content.Released = true }
