package ledger

import (
	"fmt"

	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
)

// Writer puts records of one service into the ledger through the session that owns it. It only appends: the caller flushes.
type Writer struct {
	Books *Books
	State *producer.Sender // of the service's partition of the state topic
	Rows  *producer.Sender // of the service's partition of the rows topic
}

// The keys of the records.

func (b *Books) ownerKey() string      { return "owner/" + b.Service }
func (b *Books) checkpointKey() string { return "checkpoint/" + b.Service }
func (b *Books) serviceKey() string    { return "service/" + b.Service }
func (b *Books) dayKey(n DayName) string {
	return "day/" + b.Service + "/" + n.Stream + "/" + n.Day.String()
}

// rowsKey is the key of a day's records in the rows topic.
func (b *Books) rowsKey(n DayName) string { return b.Service + "/" + n.Stream + "/" + n.Day.String() }

// Owner appends the owner's record.
func (w *Writer) Owner(o *Owner) error { return w.put(w.Books.ownerKey(), o) }

// Checkpoint appends the checkpoint.
func (w *Writer) Checkpoint(c *Checkpoint) error { return w.put(w.Books.checkpointKey(), c) }

// Service appends the service's record.
func (w *Writer) Service(s *Service) error { return w.put(w.Books.serviceKey(), s) }

// Day appends a day's record.
func (w *Writer) Day(n DayName, d *Day) error { return w.put(w.Books.dayKey(n), d) }

// Command appends a command's record.
func (w *Writer) Command(c *Command) error { return w.put("command/"+c.ID, c) }

// ForgetDay appends the deletion of a day's record.
func (w *Writer) ForgetDay(n DayName) error { return w.append(w.Books.dayKey(n), nil) }

// ForgetCommand appends the deletion of a command's record.
func (w *Writer) ForgetCommand(id string) error { return w.append("command/"+id, nil) }

func (w *Writer) put(key string, record keeper) error {
	value, err := encode(record)
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
