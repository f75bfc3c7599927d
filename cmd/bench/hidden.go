package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const privacySecret = "a key that hides nothing but the rows of a benchmark"

// privacyKey writes the hash key of dfinery-kafka.
func (b *bench) privacyKey() (file string, err error) {
	file = filepath.Join(b.dir, "privacy.key")
	return file, os.WriteFile(file, []byte(privacySecret), 0o600)
}

// hiding replaces the cells of hashed columns by their documented hashes.
type hiding struct {
	macs []hash.Hash // by column; nil: its cells are published
	row  []string
}

func newHiding(names []string, hashed string) *hiding {
	h := &hiding{macs: make([]hash.Hash, len(names)), row: make([]string, len(names))}
	for i, name := range names {
		if hashed != "" && slices.Contains(strings.Split(hashed, ","), name) {
			key := hmac.New(sha256.New, []byte(privacySecret))
			key.Write([]byte("dfinery-kafka hash 1\x00" + name))
			h.macs[i] = hmac.New(sha256.New, key.Sum(nil))
		}
	}
	return h
}

// public returns the row as published; it is valid until the next call.
func (h *hiding) public(cells []string) []string {
	for i, cell := range cells {
		if h.row[i] = cell; h.macs[i] == nil || cell == "" {
			continue
		}
		h.macs[i].Reset()
		h.macs[i].Write([]byte(cell))
		h.row[i] = base64.RawURLEncoding.EncodeToString(h.macs[i].Sum(nil)[:16])
	}
	return h.row
}
