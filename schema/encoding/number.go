package encoding

import (
	"math"
	"strconv"
	"unsafe"
)

// number is a decimal number in a cell, split into its parts:
// [-]digits[.fraction][exponent], without superfluous leading zeros and with at least
// one digit in each part that is present, as in RFC 8259 section 6.
type number struct {
	negative bool
	whole    []byte // the digits before the point
	fraction []byte // the digits after it; nil without a point
	exponent []byte // from e or E on; nil without one
}

func digitsEnd(cell []byte, at int) int {
	for at < len(cell) && cell[at]-'0' <= 9 {
		at++
	}
	return at
}

// splitNumber splits a number into its parts; false if the cell is not a number.
func splitNumber(cell []byte) (n number, ok bool) {
	at := 0
	if at < len(cell) && cell[at] == '-' {
		n.negative = true
		at++
	}
	end := digitsEnd(cell, at)
	n.whole = cell[at:end]
	if len(n.whole) == 0 || len(n.whole) > 1 && n.whole[0] == '0' {
		return n, false
	}
	at = end
	if at < len(cell) && cell[at] == '.' {
		end = digitsEnd(cell, at+1)
		n.fraction = cell[at+1 : end]
		if len(n.fraction) == 0 {
			return n, false
		}
		at = end
	}
	if at < len(cell) && cell[at]|0x20 == 'e' {
		n.exponent = cell[at:]
		at++
		if at < len(cell) && (cell[at] == '+' || cell[at] == '-') {
			at++
		}
		end = digitsEnd(cell, at)
		if end == at {
			return n, false
		}
		at = end
	}
	return n, at == len(cell)
}

func allZeros(digits []byte) bool {
	for _, c := range digits {
		if c != '0' {
			return false
		}
	}
	return true
}

// parseLong parses a 64-bit integer. A fraction of zeros is allowed, an exponent
// is not.
func parseLong(cell []byte) (int64, bool) {
	n, ok := splitNumber(cell)
	if !ok || n.exponent != nil || len(n.whole) > 19 || !allZeros(n.fraction) {
		return 0, false
	}
	var sum uint64 // 19 digits fit
	for _, c := range n.whole {
		sum = sum*10 + uint64(c-'0')
	}
	switch {
	case n.negative && sum <= 1<<63:
		return -int64(sum), true //nolint:gosec // -2^63 wraps to itself
	case !n.negative && sum < 1<<63:
		return int64(sum), true
	}
	return 0, false
}

// powers are the powers of ten that a float64 represents exactly.
var powers = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// parseDouble parses a finite 64-bit floating-point number, rounded to nearest.
// A number too small becomes zero; one too large is refused.
func parseDouble(cell []byte) (float64, bool) {
	n, ok := splitNumber(cell)
	if !ok {
		return 0, false
	}
	// A mantissa below 2^53 and a power of ten up to 22 are exact, so that one
	// division rounds correctly; everything else goes to the standard library.
	if n.exponent == nil && len(n.whole)+len(n.fraction) <= 15 {
		var mantissa uint64
		for _, c := range n.whole {
			mantissa = mantissa*10 + uint64(c-'0')
		}
		for _, c := range n.fraction {
			mantissa = mantissa*10 + uint64(c-'0')
		}
		f := float64(mantissa) / powers[len(n.fraction)]
		if n.negative {
			f = math.Copysign(f, -1)
		}
		return f, true
	}
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(cell), len(cell)), 64)
	return f, err == nil || f == 0
}

// parseBoolean parses true or false in any case, 1 or 0.
func parseBoolean(cell []byte) (value, ok bool) {
	switch len(cell) {
	case 1:
		return cell[0] == '1', cell[0] == '1' || cell[0] == '0'
	case 4:
		return true, equalFold(cell, "true")
	case 5:
		return false, equalFold(cell, "false")
	}
	return false, false
}

// equalFold compares a cell with a text in lower-case letters.
func equalFold(cell []byte, lower string) bool {
	for i := range lower {
		if cell[i]|0x20 != lower[i] {
			return false
		}
	}
	return true
}
