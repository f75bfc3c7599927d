// Package transfer moves exports into Kafka: it fetches rows, finds those that are
// published already, encodes the others and appends them to their partitions, and
// writes dead letters. Exports run beside the owner's loop, which pauses them between
// two rows for a checkpoint.
package transfer
