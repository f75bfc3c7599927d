package profiles

// inTopic counts the keys that have a value in the topic.
func (s *Scan) inTopic() int {
	n := 0
	for _, slot := range s.State.all {
		if slot.kind().inTopic() {
			n++
		}
	}
	return n
}

// bytes returns the size of the table in memory.
func (s *State) bytes() int {
	const size = 16
	n := 0
	for i := range s.segments {
		n += size * len(s.segments[i].slots)
	}
	return n
}
