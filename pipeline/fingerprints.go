package pipeline

import (
	"context"
	"errors"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// load reads the fingerprints of what is published of the day.
func (e *export) load(ctx context.Context) error {
	set, err := e.tenure.books.LoadSet(ctx, e.day.name, &e.record)
	lost, ok := errors.AsType[*ledger.LostError](err)
	if ok {
		e.tenure.log.Error("rows of this day may be published twice", "stream", e.stream.Name, "day", e.day.name.Day, "error", err,
			"do", "give "+e.tenure.books.Rows+" back its retention of 35 days; tell consumers to deduplicate by the header id")
		err = nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.set, e.lost = set, lost
	if lost != nil {
		e.record.Forget(lost.Rows)
	}
	return err
}

// remember notes a fingerprint as published.
func (e *export) remember(print schema.Fingerprint) {
	e.set.Add(print)
	chunks := len(e.prints)
	e.prints = appendPrint(e.prints, print)
	if len(e.prints) > chunks && e.tenure.chunks.Add(1) >= chunksPerCheckpoint {
		select {
		case e.tenure.full <- struct{}{}:
		default: // asked for already
		}
	}
}

// printsPerChunk is how many new fingerprints one chunk of their list has, so that the list grows without copying them.
const printsPerChunk = 16_384

// chunksPerCheckpoint is how many chunks all exports fill together before they ask for a checkpoint: a quarter of a million rows, 4 MiB.
const chunksPerCheckpoint = 16

// appendPrint adds one fingerprint to a list in chunks.
func appendPrint(chunks [][]schema.Fingerprint, f schema.Fingerprint) [][]schema.Fingerprint {
	n := len(chunks)
	if n == 0 || len(chunks[n-1]) == printsPerChunk {
		room := 0 // most lists stay short
		if n > 0 {
			room = printsPerChunk
		}
		chunks = append(chunks, make([]schema.Fingerprint, 0, room))
		n++
	}
	chunks[n-1] = append(chunks[n-1], f)
	return chunks
}
