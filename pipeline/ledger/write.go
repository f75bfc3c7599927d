package ledger

import (
	"fmt"
	"strconv"

	"dfinery-kafka/pipeline/produce"
	"dfinery-kafka/schema"
)

// Writer puts records of one service into the ledger through the session that owns it. It only appends: the caller flushes.
type Writer struct {
	Books *Books
	State *produce.Sender // of the service's partition of the state topic
	Rows  *produce.Sender // of the service's partition of the rows topic
}

// The keys of the records.

func (b *Books) ownerKey() string      { return "owner/" + b.Service }
func (b *Books) checkpointKey() string { return "checkpoint/" + b.Service }
func (b *Books) serviceKey() string    { return "service/" + b.Service }
func (b *Books) dayKey(n DayName) string {
	return "day/" + b.Service + "/" + n.Stream + "/" + n.Day.String()
}

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
	return w.append(key, produce.Bytes(value))
}

func (w *Writer) append(key string, value produce.Value) error {
	if err := w.State.Append(&produce.Record{Key: []byte(key), Value: value}); err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	return nil
}

// RowsPerRecord is how many fingerprints one record of the rows topic holds at most here; readers take up to 50,000.
const RowsPerRecord = 16_384

// Fingerprints appends fingerprints of rows published of a day, each as often as it has copies.
func (w *Writer) Fingerprints(n DayName, generation int, prints []schema.Fingerprint) error {
	key := []byte(w.Books.Service + "/" + n.Stream + "/" + n.Day.String())
	headers := []produce.Header{{Key: "generation", Value: strconv.AppendInt(nil, int64(generation), 10)}}
	for len(prints) > 0 {
		part := prints[:min(len(prints), RowsPerRecord)]
		prints = prints[len(part):]
		if err := w.Rows.Append(&produce.Record{Key: key, Value: fingerprints(part), Headers: headers}); err != nil {
			return fmt.Errorf("write fingerprints of %s: %w", key, err)
		}
	}
	return nil
}

// Set appends all fingerprints of a day as one run, each as often as it has copies.
func (w *Writer) Set(n DayName, generation int, set *Set) error {
	chunk := make([]schema.Fingerprint, 0, RowsPerRecord)
	for f, copies := range set.All {
		for range copies {
			if chunk = append(chunk, f); len(chunk) == cap(chunk) {
				if err := w.Fingerprints(n, generation, chunk); err != nil {
					return err
				}
				chunk = chunk[:0]
			}
		}
	}
	return w.Fingerprints(n, generation, chunk)
}

// fingerprints is a record's value: 16 bytes each.
type fingerprints []schema.Fingerprint

// Append implements produce.Value.
func (f fingerprints) Append(dst []byte) []byte {
	for i := range f {
		dst = append(dst, f[i][:]...)
	}
	return dst
}
