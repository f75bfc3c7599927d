package producer

import "dfinery-kafka/pipeline/recordbatch"

// buffer returns memory for encoding a batch. Deliveries share buffers, because only few of
// many partitions have a batch in flight.
func (s *Session) buffer() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.encoded)
	if n == 0 {
		return nil
	}
	b := s.encoded[n-1]
	s.encoded = s.encoded[:n-1]
	return b[:0]
}

func (s *Session) freeBuffer(b []byte) {
	if cap(b) > recordbatch.KeptRoom {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.encoded = append(s.encoded, b)
}

func (s *Session) newBatch() *recordbatch.Builder {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.free); n > 0 {
		b := s.free[n-1]
		s.free = s.free[:n-1]
		return b
	}
	b := &recordbatch.Builder{}
	b.Reset()
	return b
}

func (s *Session) freeBatch(b *recordbatch.Builder) {
	b.Reset()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, b)
}
