package cluster

import (
	"encoding/binary"
	"io"
)

// cursor reads big-endian numbers, varints and byte strings from memory. After the first read past the end it hands out zeros, and
// err says so.
type cursor struct {
	rest  []byte
	short bool
}

func (c *cursor) err() error {
	if c.short {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (c *cursor) bytes(n int) []byte {
	if n < 0 || n > len(c.rest) {
		c.short, c.rest = true, nil
		return nil
	}
	b := c.rest[:n:n]
	c.rest = c.rest[n:]
	return b
}

func (c *cursor) int8() int8 {
	if b := c.bytes(1); b != nil {
		return int8(b[0])
	}
	return 0
}

func (c *cursor) int16() int16 {
	if b := c.bytes(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (c *cursor) int32() int32 {
	if b := c.bytes(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (c *cursor) int64() int64 {
	if b := c.bytes(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (c *cursor) varint() int64 {
	n, size := binary.Varint(c.rest)
	if size <= 0 {
		c.short, c.rest = true, nil
		return 0
	}
	c.rest = c.rest[size:]
	return n
}

// varbytes is nil for a length of -1, and not nil for a length of 0.
func (c *cursor) varbytes() []byte {
	n := c.varint()
	if n < 0 {
		return nil
	}
	return c.bytes(int(n))
}
