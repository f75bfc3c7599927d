// Package transfer moves exports into Kafka: it fetches rows, skips those that are
// already published, encodes the others and appends them to their partitions, and
// writes dead letters. Exports run concurrently with the owner's loop, which pauses
// them between two rows for a checkpoint.
package transfer
