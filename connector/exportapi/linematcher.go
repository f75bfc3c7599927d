package exportapi

import (
	"hash/crc32"

	"dfinery-kafka/schema"
)

// lineMatcher looks through an export for the line that ended the one before it without a newline.
type lineMatcher struct {
	export   *schema.Export
	end      ending
	watching bool

	pending       bool // the line before the present one was it: a further line makes it followed
	same          bool // it was there, whole
	followed      bool // and another line came behind it
	longer        bool // another line begins with it
	longerInPlace bool
}

// line takes the next line.
func (m *lineMatcher) line(raw []byte, line, columns int) {
	m.followed = m.followed || m.pending
	m.pending = false
	n := m.end.Bytes
	if len(raw) < n || m.export.Private == nil && tailSum(raw[:n]) != m.end.Tail || lineHash(m.export, raw[:n]) != m.end.Hash {
		return
	}
	// In an export of one column a torn value is easily another row's whole one, or the beginning of it: only its old place counts.
	inPlace := line == m.end.Line
	switch {
	case columns == 1 && !inPlace:
	case len(raw) == m.end.Bytes:
		m.pending, m.same = true, true
	default:
		m.longer, m.longerInPlace = true, m.longerInPlace || inPlace
	}
}

// verdict is what the export showed. Of one that was not read to its end only a longer line in the old place counts: the line itself, or that
// longer line, may stand behind.
func (m *lineMatcher) verdict(whole bool) (proof, counterExample bool) {
	counterExample = m.watching && (m.longerInPlace || whole && m.longer && !m.same)
	return m.watching && whole && m.followed && !counterExample, counterExample
}

// tailSum is of a line's last bytes: lines often begin alike.
func tailSum(raw []byte) uint32 { return crc32.ChecksumIEEE(raw[max(0, len(raw)-16):]) }
