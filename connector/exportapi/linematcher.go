package exportapi

import (
	"hash/crc32"

	"dfinery-kafka/schema"
)

// lineMatcher searches an export for the line that ended the previous export without a newline.
type lineMatcher struct {
	export   *schema.Export
	end      ending
	watching bool

	pending       bool // the previous line was it: another line makes it followed
	same          bool // it was found, unchanged
	followed      bool // and another line came after it
	longer        bool // a longer line starts with it
	longerInPlace bool
}

// line compares the next line.
func (m *lineMatcher) line(raw []byte, line, columns int) {
	m.followed = m.followed || m.pending
	m.pending = false
	n := m.end.Bytes
	if len(raw) < n || m.export.Private == nil && tailSum(raw[:n]) != m.end.Tail || lineHash(m.export, raw[:n]) != m.end.Hash {
		return
	}
	// In an export of one column a cut value may easily equal, or start, the value of another
	// row: only the same line number counts.
	inPlace := line == m.end.Line
	switch {
	case columns == 1 && !inPlace:
	case len(raw) == m.end.Bytes:
		m.pending, m.same = true, true
	default:
		m.longer, m.longerInPlace = true, m.longerInPlace || inPlace
	}
}

// verdict is the result of an export. If it was not read to its end, only a longer line at the
// same line number counts: the line itself, or the longer line, may come later.
func (m *lineMatcher) verdict(whole bool) (proof, counterExample bool) {
	counterExample = m.watching && (m.longerInPlace || whole && m.longer && !m.same)
	return m.watching && whole && m.followed && !counterExample, counterExample
}

// tailSum is a checksum of a line's last bytes, because lines often start alike.
func tailSum(raw []byte) uint32 { return crc32.ChecksumIEEE(raw[max(0, len(raw)-16):]) }
