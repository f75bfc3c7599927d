package recordbatch

import (
	"encoding/binary"
	"io"
)

// Cursor decodes the numbers and byte strings of Kafka's protocol. After the first read past
// the end it returns zeros, and Err returns the error.
type Cursor struct {
	rest  []byte
	short bool
}

// NewCursor returns a Cursor at the start of b.
func NewCursor(b []byte) Cursor { return Cursor{rest: b} }

// Err is io.ErrUnexpectedEOF after a read past the end.
func (c *Cursor) Err() error {
	if c.short {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// Bytes reads n bytes, which share memory with the input.
func (c *Cursor) Bytes(n int) []byte {
	if n < 0 || n > len(c.rest) {
		c.short, c.rest = true, nil
		return nil
	}
	b := c.rest[:n:n]
	c.rest = c.rest[n:]
	return b
}

// Int8 reads one byte.
func (c *Cursor) Int8() int8 {
	if b := c.Bytes(1); b != nil {
		return int8(b[0])
	}
	return 0
}

// Int16 reads two bytes.
func (c *Cursor) Int16() int16 {
	if b := c.Bytes(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

// Int32 reads four bytes.
func (c *Cursor) Int32() int32 {
	if b := c.Bytes(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

// Int64 reads eight bytes.
func (c *Cursor) Int64() int64 {
	if b := c.Bytes(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// Varint reads a zigzag-encoded variable-length number.
func (c *Cursor) Varint() int64 {
	n, size := binary.Varint(c.rest)
	if size <= 0 {
		c.short, c.rest = true, nil
		return 0
	}
	c.rest = c.rest[size:]
	return n
}

// VarBytes reads a length and that many bytes, which share memory with the input: nil for a
// length of -1, not nil for a length of 0.
func (c *Cursor) VarBytes() []byte {
	n := c.Varint()
	if n < 0 {
		return nil
	}
	return c.Bytes(int(n))
}
