package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"

	"github.com/zeebo/xxh3"
)

// identity is a hash of a row's key and non-empty cells, independent of their order.
type identity = xxh3.Uint128

// rowIdentity computes identities; the zero value is ready.
type rowIdentity struct {
	scratch []byte
	sum     xxh3.Uint128 // of the hashes of the cells: sums do not depend on the order
}

func (e *rowIdentity) add(name, cell []byte) {
	e.scratch = binary.AppendUvarint(e.scratch[:0], uint64(len(name)))
	e.scratch = append(append(e.scratch, name...), cell...)
	h := xxh3.Hash128(e.scratch)
	e.sum.Hi += h.Hi
	e.sum.Lo += h.Lo
}

// end returns the identity and begins the next row.
func (e *rowIdentity) end(key []byte) identity {
	sum := e.sum.Bytes()
	e.sum = xxh3.Uint128{}
	e.scratch = append(append(e.scratch[:0], sum[:]...), key...)
	return xxh3.Hash128(e.scratch)
}

// cells returns the identity that a row's record must have.
func (e *rowIdentity) cells(names, cells []string) identity {
	var key string
	for i, cell := range cells {
		if cell != "" {
			e.add([]byte(names[i]), []byte(cell))
		}
		if names[i] == keyColumn {
			key = cell
		}
	}
	return e.end([]byte(key))
}

var errNotFlat = errors.New("the value is not a JSON object of strings")

// record returns the identity of a record. Its value must be an object of non-empty
// strings.
func (e *rowIdentity) record(key, value []byte) (identity, error) {
	e.sum = xxh3.Uint128{}
	if !json.Valid(value) || len(value) < 2 || value[0] != '{' || value[len(value)-1] != '}' {
		return identity{}, errNotFlat
	}
	rest := value[1 : len(value)-1]
	for len(rest) > 0 {
		name, after, ok := cutString(rest)
		if !ok || len(after) == 0 || after[0] != ':' {
			return identity{}, errNotFlat
		}
		cell, after, ok := cutString(after[1:])
		if !ok || len(cell) == 0 {
			return identity{}, errNotFlat
		}
		e.add(name, cell)
		if len(after) > 0 && after[0] != ',' {
			return identity{}, errNotFlat
		}
		rest = after[min(1, len(after)):]
	}
	return e.end(key), nil
}

// cutString cuts a JSON string from the front of valid JSON and returns its value.
func cutString(b []byte) (text, after []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, nil, false
	}
	end := bytes.IndexByte(b[1:], '"') + 1
	if bytes.IndexByte(b[:end], '\\') < 0 {
		return b[1:end], b[end+1:], end > 0
	}
	for end = 1; b[end] != '"'; end++ {
		if b[end] == '\\' {
			end++
		}
	}
	var s string
	if err := json.Unmarshal(b[:end+1], &s); err != nil {
		return nil, nil, false
	}
	return []byte(s), b[end+1:], true
}
