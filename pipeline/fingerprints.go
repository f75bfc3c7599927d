package pipeline

import "dfinery-kafka/schema"

// printsPerChunk bounds what growing the list of new fingerprints copies: nothing.
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
