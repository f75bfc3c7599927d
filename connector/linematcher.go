package connector

// lineMatcher looks through an export for the line that ended the one before.
type lineMatcher struct {
	end      ending
	watching bool
	seen     bool
}

// line takes the next line, and says whether the one before it was the line looked for. In an export of one column, where a torn value is easily
// another row's whole one, the line must stand in its old place.
func (m *lineMatcher) line(raw []byte, line, columns int) (proof bool) {
	if m.seen {
		m.watching = false
		return true
	}
	m.seen = len(raw) == m.end.Bytes && (columns > 1 || line == m.end.Line) && lineHash(raw) == m.end.Hash
	return false
}
