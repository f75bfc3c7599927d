package exportapi

import "slices"

// find appends the regions of the text that contain the secret, which is folded, in any
// of the text's readings. A truncated text may end with the start of the secret, or with
// that and a part of an escape.
func (l *letters) find(found []region, secret []byte, fold func(byte) byte) []region {
	var ends, next []int
	for from := 0; from < len(l.text); from++ {
		if fold(l.text[from]) != secret[0] && (l.escapes == nil || len(l.escapes[from]) == 0) {
			continue
		}
		ends = append(ends[:0], from)
		for i, c := range secret {
			next = next[:0]
			for _, at := range ends {
				for letter := range l.at(at) {
					if fold(letter.c) == c && !slices.Contains(next, letter.next) {
						next = append(next, letter.next)
					}
				}
			}
			ends, next = next, ends
			if len(ends) == 0 {
				break
			}
			if i+1 >= minPartial && i+1 < len(secret) && slices.ContainsFunc(ends, l.cutAt) {
				return append(found, region{from, len(l.text)})
			}
		}
		if len(ends) > 0 {
			to := slices.Max(ends)
			found = append(found, region{from, to})
			from = to - 1
		}
	}
	return found
}

// cutAt reports whether the text ends at this index, or within an escape that starts
// there.
func (l *letters) cutAt(at int) bool {
	if at == len(l.text) {
		return true
	}
	if len(l.text)-at > longestEscape*maxReadings {
		return false
	}
	for first := range l.at(at) {
		switch first.c {
		case '%':
			if l.endsWithin(first.next, 1, hexDigit) {
				return true
			}
		case '\\':
			if first.next == len(l.text) {
				return true
			}
			for kind := range l.at(first.next) {
				switch kind.c {
				case 'u', 'U':
					if l.endsWithin(kind.next, 3, hexDigit) {
						return true
					}
				case 'x', 'X':
					if l.endsWithin(kind.next, 1, hexDigit) {
						return true
					}
				}
			}
		case '&':
			if l.endsWithin(first.next, longestEscape-2, entityLetter) {
				return true
			}
		}
	}
	return false
}

// endsWithin reports whether the text ends after at most that many letters of a kind,
// or within an escape there.
func (l *letters) endsWithin(at, maxLetters int, k kind) bool {
	if at == len(l.text) || l.cutAt(at) {
		return true
	}
	if maxLetters == 0 {
		return false
	}
	for letter := range l.at(at) {
		if kinds[letter.c]&k != 0 && l.endsWithin(letter.next, maxLetters-1, k) {
			return true
		}
	}
	return false
}

// widened extends a region of base64 by the adjacent letters, which contain some of the
// secret's bits.
func (l *letters) widened(r region) region {
	for range 2 {
		next := r.to
		for letter := range l.at(r.to) {
			next = max(next, letter.next)
		}
		r.to = next
	}
	switch {
	case r.from > 2 && l.text[r.from-3] == '%':
		r.from -= 3
	case r.from > 0:
		r.from--
	}
	return r
}
