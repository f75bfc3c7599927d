package encoding

// resolution is the number of fractional digits of a second that a datetime can have.
type resolution int

const (
	millis resolution = 3
	micros resolution = 6
	nanos  resolution = 9 // only to check a cell: the result may overflow
)

func two(cell []byte, at int) int { return int(cell[at]-'0')*10 + int(cell[at+1]-'0') }

func isDigits(cell []byte, from, to int) bool {
	for _, c := range cell[from:to] {
		if c-'0' > 9 {
			return false
		}
	}
	return true
}

// parseDate parses yyyy-MM-dd, a valid date of the years 0001 to 9999, as days
// since 1970-01-01.
func parseDate(cell []byte) (int64, bool) {
	if len(cell) != len("2006-01-02") {
		return 0, false
	}
	return dateAt(cell)
}

// dateAt parses the date at the start of the cell, which has at least ten bytes.
func dateAt(cell []byte) (int64, bool) {
	if cell[4] != '-' || cell[7] != '-' || !isDigits(cell, 0, 4) || !isDigits(cell, 5, 7) || !isDigits(cell, 8, 10) {
		return 0, false
	}
	year, month, day := two(cell, 0)*100+two(cell, 2), two(cell, 5), two(cell, 8)
	if year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	return daysSince1970(year, month, day), true
}

func daysIn(year, month int) int {
	switch {
	case month == 2 && (year%4 != 0 || year%100 == 0 && year%400 != 0):
		return 28
	case month == 2:
		return 29
	case month == 4 || month == 6 || month == 9 || month == 11:
		return 30
	}
	return 31
}

// daysSince1970 uses years that start in March, so that the leap day is the last
// of a year: the days before a month are then a linear function of the month.
func daysSince1970(year, month, day int) int64 {
	month -= 3
	if month < 0 {
		month += 12
		year--
	}
	const before1970 = 719468 // days from 0000-03-01 to 1970-01-01
	return int64(365*year + year/4 - year/100 + year/400 + (153*month+2)/5 + day - 1 - before1970)
}

// parseDatetime parses yyyy-MM-ddTHH:mm:ss, an optional fraction of 1 to 9 digits,
// and Z or an offset of at most 18 hours: +09, +0900 or +09:00. Fraction digits
// beyond the resolution must be zeros. The result is in units of the resolution
// since 1970-01-01T00:00:00Z.
func parseDatetime(cell []byte, r resolution) (int64, bool) {
	const shortest = len("2006-01-02T15:04:05Z")
	if len(cell) < shortest || cell[10] != 'T' || cell[13] != ':' || cell[16] != ':' {
		return 0, false
	}
	days, ok := dateAt(cell)
	if !ok || !isDigits(cell, 11, 13) || !isDigits(cell, 14, 16) || !isDigits(cell, 17, 19) {
		return 0, false
	}
	hour, minute, second := two(cell, 11), two(cell, 14), two(cell, 17)
	if hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	fraction, at, ok := parseFraction(cell, 19, r)
	if !ok {
		return 0, false
	}
	offset, ok := parseOffset(cell[at:])
	if !ok {
		return 0, false
	}
	seconds := days*86400 + int64(hour*3600+minute*60+second-offset*60)
	if r == micros {
		return seconds*1_000_000 + fraction, true
	}
	return seconds*1_000 + fraction, true
}

// parseFraction parses a point and digits, if there are any at this index.
func parseFraction(cell []byte, at int, r resolution) (fraction int64, end int, ok bool) {
	if at == len(cell) || cell[at] != '.' {
		return 0, at, true
	}
	end = digitsEnd(cell, at+1)
	digits := cell[at+1 : end]
	if len(digits) == 0 || len(digits) > 9 {
		return 0, end, false
	}
	for i := range int(r) {
		fraction *= 10
		if i < len(digits) {
			fraction += int64(digits[i] - '0')
		}
	}
	return fraction, end, len(digits) <= int(r) || allZeros(digits[r:])
}

// parseOffset parses Z, ±HH, ±HHmm or ±HH:mm as minutes east of UTC.
func parseOffset(zone []byte) (minutes int, ok bool) {
	if len(zone) == 1 && zone[0] == 'Z' {
		return 0, true
	}
	if len(zone) < 3 || zone[0] != '+' && zone[0] != '-' || !isDigits(zone, 1, 3) {
		return 0, false
	}
	hours := two(zone, 1)
	switch {
	case len(zone) == 3:
	case len(zone) == 5 && isDigits(zone, 3, 5):
		minutes = two(zone, 3)
	case len(zone) == 6 && zone[3] == ':' && isDigits(zone, 4, 6):
		minutes = two(zone, 4)
	default:
		return 0, false
	}
	if minutes > 59 {
		return 0, false
	}
	minutes += hours * 60
	if minutes > 18*60 {
		return 0, false
	}
	if zone[0] == '-' {
		minutes = -minutes
	}
	return minutes, true
}

// appendRFC3339 appends a cell that parseDatetime accepts, with its offset as in
// RFC 3339: +0900 and +09 become +09:00; all else is unchanged.
func appendRFC3339(dst, cell []byte) []byte {
	at := len("2006-01-02T15:04:05")
	if cell[at] == '.' {
		at = digitsEnd(cell, at+1)
	}
	zone := cell[at:]
	switch len(zone) {
	case 3:
		return append(append(dst, cell...), ":00"...)
	case 5:
		dst = append(append(dst, cell[:at+3]...), ':')
		return append(dst, zone[3:]...)
	}
	return append(dst, cell...)
}

// AppendTimestamp appends a datetime cell, with up to nanoseconds, in the format of
// RFC 3339. It appends nothing and returns false if the cell is no datetime.
func AppendTimestamp(dst, cell []byte) ([]byte, bool) {
	if _, ok := parseDatetime(cell, nanos); !ok {
		return dst, false
	}
	return appendRFC3339(dst, cell), true
}
