package e2e

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	endian "encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/zeebo/xxh3"

	"dfinery-kafka/connector/csv"
	"dfinery-kafka/schema"
)

const privacySecret = "k3y-0123456789-0123456789-0123456789"

// writeKey writes a secret to a file.
func writeKey(t *testing.T, secret string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// hashed returns the hash of a cell as schema/README.md defines it.
func hashed(column, cell string) string {
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	return base64.RawURLEncoding.EncodeToString(mac(mac([]byte(privacySecret), "dfinery-kafka hash 1\x00"+column), cell)[:16])
}

// canaries searches for texts that must not occur, in all encodings in which they could.
type canaries struct {
	t     *testing.T
	forms map[string][]byte // bytes to search for, by description
}

// newCanaries returns canaries for cells and lines, and for hashes without a key of both.
func newCanaries(t *testing.T, header string, cells, lines []string) *canaries {
	t.Helper()
	c := &canaries{t: t, forms: map[string][]byte{}}
	for _, cell := range cells {
		c.add(cell, []byte(cell))
		c.addHashes(cell)
	}
	columns, err := schema.NewColumns(strings.Split(header, ","))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		c.addHashes(line)
		// The hash that the ledger keeps of a last line without a newline.
		c.forms["crc32 of "+line] = fmt.Appendf(nil, `"tail":%d`, crc32.ChecksumIEEE([]byte(line[max(0, len(line)-16):])))
		if row, err := csv.ParseRow(columns, []byte(line)); err == nil {
			print := new(schema.Hasher).Row(row)
			c.add("fingerprint of "+line, print[:])
		}
	}
	return c
}

// add adds bytes, and their forms in hex and base64.
func (c *canaries) add(what string, b []byte) {
	c.forms[what] = b
	c.forms[what+" in hex"] = []byte(hex.EncodeToString(b))
	c.forms[what+" in HEX"] = []byte(strings.ToUpper(hex.EncodeToString(b)))
	for shift := range 3 {
		for name, encoding := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			encoded := encoding.EncodeToString(append(make([]byte, shift), b...))
			inner := encoded[(8*shift+5)/6 : 8*(shift+len(b))/6] // the characters that depend only on b
			c.forms[fmt.Sprintf("%s in %s+%d", what, name, shift)] = []byte(inner)
		}
	}
}

func (c *canaries) addHashes(text string) {
	b := []byte(text)
	bad, plain := schema.BadFingerprint(b), xxh3.Hash128(b).Bytes()
	sum256, sum1, sum5 := sha256.Sum256(b), sha1.Sum(b), md5.Sum(b)
	c.add("fingerprint of the line "+text, bad[:])
	c.add("xxh3-128 of "+text, plain[:])
	c.add("xxh3-64 of "+text, endian.BigEndian.AppendUint64(nil, xxh3.Hash(b)))
	c.add("sha256 of "+text, sum256[:16])
	c.add("sha1 of "+text, sum1[:])
	c.add("md5 of "+text, sum5[:])
}

// expectNone fails the test if a text contains one of the forms.
func (c *canaries) expectNone(where, text string) {
	c.t.Helper()
	b := []byte(text)
	for what, form := range c.forms {
		if i := bytes.Index(b, form); i >= 0 {
			c.t.Errorf("%s has %s: …%q…", where, what, b[max(0, i-200):min(len(b), i+100)])
		}
	}
}

// expectNoneInTopics searches all records of topics.
func (c *canaries) expectNoneInTopics(b *testbed, topics ...string) {
	c.t.Helper()
	for _, topic := range topics {
		for _, m := range b.consume(topic, kgo.ReadUncommitted()) {
			text := m.Key + "\n" + m.Value
			for name, value := range m.Headers {
				text += "\n" + name + "=" + value
			}
			c.expectNone("a record of "+topic, text)
		}
	}
}
