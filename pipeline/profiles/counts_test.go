package profiles

// inTopic is how many keys have a value in the topic.
func (s *Scan) inTopic() int {
	n := 0
	for _, slot := range s.State.all {
		if slot.kind().inTopic() {
			n++
		}
	}
	return n
}

// bytes is the memory of the table.
func (s *State) bytes() int {
	const size = 16
	n := 0
	for i := range s.segments {
		n += size * len(s.segments[i].slots)
	}
	return n
}
