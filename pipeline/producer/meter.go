package producer

import "sync/atomic"

// Meter counts what successive sessions write. Its counts outlive a session and never decrease.
type Meter struct {
	batches, records, bytes, retries atomic.Int64
	inFlight, waiting, fencing       atomic.Int64
}

// Stats is a snapshot of a Meter.
type Stats struct {
	Batches int64 // acknowledged
	Records int64 // of those
	Bytes   int64 // of those, as they were sent
	Retries int64 // attempts beyond a batch's first
	// InFlight is the number of partitions with an unacknowledged batch, Waiting of those whose
	// first attempt failed.
	InFlight, Waiting int
	Fencing           bool // a request of a takeover or renewal failed and is being retried
}

// Stats returns the current counts. A nil Meter has counted nothing.
func (m *Meter) Stats() Stats {
	if m == nil {
		return Stats{}
	}
	return Stats{
		Batches: m.batches.Load(), Records: m.records.Load(), Bytes: m.bytes.Load(), Retries: m.retries.Load(),
		InFlight: int(m.inFlight.Load()), Waiting: int(m.waiting.Load()), Fencing: m.fencing.Load() > 0,
	}
}

func (m *Meter) acknowledged(records, bytes int) {
	m.batches.Add(1)
	m.records.Add(int64(records))
	m.bytes.Add(int64(bytes))
}
