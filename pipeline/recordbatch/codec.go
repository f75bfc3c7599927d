package recordbatch

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Codec is the compression of record batches.
type Codec struct {
	name string
	id   int16 // the low three bits of the batch's attributes
	// compress appends src, compressed, to dst.
	compress func(dst, src []byte) ([]byte, error)
}

func (c *Codec) String() string { return c.name }

// NewCodec returns the codec none, gzip, snappy, lz4 or zstd. A Codec is safe for concurrent use.
func NewCodec(name string) (*Codec, error) {
	switch name {
	case "none":
		return &Codec{name: name, id: 0}, nil
	case "gzip":
		pool := sync.Pool{New: func() any { return gzip.NewWriter(nil) }}
		return &Codec{name: name, id: 1, compress: func(dst, src []byte) ([]byte, error) {
			w := pool.Get().(*gzip.Writer)
			defer pool.Put(w)
			buf := bytes.NewBuffer(dst)
			w.Reset(buf)
			if _, err := w.Write(src); err != nil {
				return nil, err
			}
			err := w.Close()
			return buf.Bytes(), err
		}}, nil
	case "snappy":
		// One raw block, without the framing of xerial's library, which also reads raw blocks.
		return &Codec{name: name, id: 2, compress: appendSnappy}, nil
	case "lz4":
		pool := sync.Pool{New: func() any { return lz4.NewWriter(nil) }}
		return &Codec{name: name, id: 3, compress: func(dst, src []byte) ([]byte, error) {
			w := pool.Get().(*lz4.Writer)
			defer pool.Put(w)
			buf := bytes.NewBuffer(dst)
			w.Reset(buf)
			// 64 KiB blocks, as written by the Java client, fit into the memory of every reader.
			if err := w.Apply(lz4.BlockSizeOption(lz4.Block64Kb)); err != nil {
				return nil, err
			}
			if _, err := w.Write(src); err != nil {
				return nil, err
			}
			err := w.Close()
			return buf.Bytes(), err
		}}, nil
	case "zstd":
		// The window limits the memory of a reader; batches are smaller anyway.
		w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(512<<10), zstd.WithEncoderConcurrency(2))
		if err != nil {
			return nil, err
		}
		return &Codec{name: name, id: 4, compress: func(dst, src []byte) ([]byte, error) { return w.EncodeAll(src, dst), nil }}, nil
	}
	return nil, fmt.Errorf("unknown compression %q: none, gzip, snappy, lz4 or zstd", name)
}

func appendSnappy(dst, src []byte) ([]byte, error) {
	at := len(dst)
	need := at + s2.MaxEncodedLen(len(src))
	if cap(dst) < need {
		dst = append(make([]byte, 0, need), dst...)
	}
	return dst[:at+len(s2.EncodeSnappy(dst[at:need], src))], nil
}
