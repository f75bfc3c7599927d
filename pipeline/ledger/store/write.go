package store

import (
	"fmt"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
)

// Writer appends records of one service to the ledger through the owner's session. The caller
// must flush.
type Writer struct {
	Ledger *Ledger
	State  *producer.Sender // of the service's partition of the state topic
	Rows   *producer.Sender // of the service's partition of the rows topic
}

// The keys of the records.

func (l *Ledger) ownerKey() string      { return "owner/" + l.Service }
func (l *Ledger) checkpointKey() string { return "checkpoint/" + l.Service }
func (l *Ledger) serviceKey() string    { return "service/" + l.Service }
func (l *Ledger) dayKey(n ledger.DayName) string {
	return "day/" + l.Service + "/" + n.Stream + "/" + n.Day.String()
}

// rowsKey is the key of a day's records in the rows topic.
func (l *Ledger) rowsKey(n ledger.DayName) string {
	return l.Service + "/" + n.Stream + "/" + n.Day.String()
}

// Owner appends the owner's record.
func (w *Writer) Owner(o *ledger.Owner) error { return w.put(w.Ledger.ownerKey(), o) }

// Checkpoint appends the checkpoint.
func (w *Writer) Checkpoint(c *ledger.Checkpoint) error { return w.put(w.Ledger.checkpointKey(), c) }

// Service appends the service's record.
func (w *Writer) Service(s *ledger.Service) error { return w.put(w.Ledger.serviceKey(), s) }

// Day appends a day's record.
func (w *Writer) Day(n ledger.DayName, d *ledger.Day) error { return w.put(w.Ledger.dayKey(n), d) }

// Command appends a command's record.
func (w *Writer) Command(c *ledger.Command) error { return w.put("command/"+c.ID, c) }

// ForgetDay appends a tombstone for a day's record.
func (w *Writer) ForgetDay(n ledger.DayName) error { return w.append(w.Ledger.dayKey(n), nil) }

// ForgetCommand appends a tombstone for a command's record.
func (w *Writer) ForgetCommand(id string) error { return w.append("command/"+id, nil) }

func (w *Writer) put(key string, record ledger.Record) error {
	value, err := ledger.Encode(record)
	if err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	return w.append(key, recordbatch.Bytes(value))
}

func (w *Writer) append(key string, value recordbatch.Value) error {
	if err := w.State.Append([]byte(key), value, nil); err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	return nil
}
