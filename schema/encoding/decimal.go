package encoding

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// unscaled is a decimal's digits without the point, as a 128-bit two's
// complement number, enough for 38 digits.
type unscaled struct{ hi, lo uint64 }

// parseDecimal parses a number that fits decimal(precision, scale) exactly:
// trailing zeros of the fraction are ignored, an exponent is refused.
func parseDecimal(cell []byte, precision, scale int) (unscaled, bool) {
	n, ok := splitNumber(cell)
	if !ok || n.exponent != nil {
		return unscaled{}, false
	}
	fraction := bytes.TrimRight(n.fraction, "0")
	whole := n.whole
	if whole[0] == '0' {
		whole = nil
	}
	if len(fraction) > scale || len(whole) > precision-scale {
		return unscaled{}, false
	}
	var u unscaled
	u.push(whole)
	u.push(fraction)
	for range scale - len(fraction) {
		u.times10(0)
	}
	if n.negative {
		var carry uint64
		u.lo, carry = bits.Add64(^u.lo, 1, 0)
		u.hi = ^u.hi + carry
	}
	return u, true
}

func (u *unscaled) push(digits []byte) {
	for _, c := range digits {
		u.times10(uint64(c - '0'))
	}
}

// times10 appends one decimal digit.
func (u *unscaled) times10(digit uint64) {
	hi, lo := bits.Mul64(u.lo, 10)
	var carry uint64
	u.lo, carry = bits.Add64(lo, digit, 0)
	u.hi = u.hi*10 + hi + carry
}

// appendTo appends the shortest big-endian two's complement form, as used by
// Avro's logical type decimal.
func (u unscaled) appendTo(dst []byte) []byte {
	var all [16]byte
	binary.BigEndian.PutUint64(all[:8], u.hi)
	binary.BigEndian.PutUint64(all[8:], u.lo)
	return append(dst, all[u.skipped():]...)
}

// size is how many bytes appendTo appends.
func (u unscaled) size() int { return 16 - u.skipped() }

// skipped is how many leading bytes only repeat the sign.
func (u unscaled) skipped() int {
	hi, lo := u.hi, u.lo
	if int64(hi) < 0 { //nolint:gosec // its sign
		hi, lo = ^hi, ^lo
	}
	zeros := bits.LeadingZeros64(hi)
	if hi == 0 {
		zeros += bits.LeadingZeros64(lo)
	}
	return min(15, (zeros-1)/8)
}
