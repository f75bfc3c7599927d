package exportapi

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// maxCodings bounds how often a body may have been compressed: some proxies compress what is compressed already.
const maxCodings = 2

// codingError is a body that its content coding does not explain.
type codingError struct{ declared string }

func (e *codingError) Error() string {
	return fmt.Sprintf("the body is no text, and its Content-Encoding %q can't be undone", e.declared)
}

// errBehindGzip is what a gzip stream must not have behind it.
var errBehindGzip = errors.New("bytes that are neither gzip nor zero padding stand behind the gzip stream")

// contentCoding undoes the body's compression. What the header says is not trusted, since servers and proxies get it wrong: a body that
// begins as gzip does is gzip, and text is text. A body that has neither form is in the coding that the header names; if that is another
// one than gzip, the coding is returned for the caller to refuse.
func (k *call) contentCoding(src io.Reader, header http.Header) (plain io.Reader, other *codingError) {
	declared := strings.Join(header["Content-Encoding"], ", ")
	for layer := 0; ; layer++ {
		lead, err := lookFor(src, gzipMagic)
		src = &rest{lead, src, err}
		if !bytes.HasPrefix(lead, []byte(gzipMagic)) || layer == maxCodings {
			return k.plainText(src, lead, declared, layer)
		}
		if !isGzip(declared) {
			k.warn("content coding", "the answer is gzip although its Content-Encoding does not say so: it is read as gzip", declared, fixServer)
		}
		src = &gunzip{src: bufio.NewReaderSize(src, 64<<10)}
		k.framed = true // by the trailer
	}
}

// plainText takes what does not begin like gzip, within a number of layers of it.
func (k *call) plainText(src io.Reader, lead []byte, declared string, layers int) (io.Reader, *codingError) {
	_, present := k.headers["content-encoding"]
	switch {
	case !present || strings.EqualFold(strings.TrimSpace(declared), "identity") || len(lead) == 0:
		return src, nil
	case isCoding(declared):
		return src, &codingError{declared}
	case layers > 0:
		return src, nil
	case isGzip(declared) && strings.HasPrefix(gzipMagic, string(lead)):
		return &gunzip{src: bufio.NewReaderSize(src, 64<<10)}, nil // which says that it was cut
	case isGzip(declared) && !textual(lead): // text in UTF-16, perhaps
		return src, &codingError{declared}
	}
	return src, k.uncompressed(&codingError{declared})
}

// uncompressed warns of a body that is not in the coding that its header names, and forgets that coding.
func (k *call) uncompressed(coding *codingError) *codingError {
	if coding != nil {
		k.warn("content coding", "the answer is not compressed, whatever its Content-Encoding says: it is read as it is", coding.declared, fixServer)
	}
	return nil
}

// fixServer is what can be done about a header that is wrong.
const fixServer = "nothing: rows are not affected; the proxy or server that sets the header may be told"

// gzipMagic is how gzip begins, its only method included.
const gzipMagic = "\x1f\x8b\x08"

func isGzip(declared string) bool {
	for coding := range strings.SplitSeq(declared, ",") {
		if coding = strings.ToLower(strings.TrimSpace(coding)); coding == "gzip" || coding == "x-gzip" {
			return true
		}
	}
	return false
}

// isCoding says that the header names a compression, beside gzip. Servers also write charsets and the like there.
func isCoding(declared string) bool {
	for coding := range strings.SplitSeq(declared, ",") {
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "br", "compress", "x-compress", "deflate", "zstd", "dcb", "dcz", "exi", "aes128gcm", "pack200-gzip", "bzip2", "xz", "lz4", "snappy":
			return true
		}
	}
	return false
}

// textual says that a body beginning so may be text.
func textual(lead []byte) bool {
	for _, b := range lead[:min(len(lead), 16)] {
		if b < ' ' && b != '\t' && b != '\r' && b != '\n' {
			return false
		}
	}
	return true
}

// lookFor reads until what was read is no longer the beginning of one of the marks, which the first byte of most bodies is not.
func lookFor(src io.Reader, marks ...string) (lead []byte, err error) {
	undecided := func() bool {
		return slices.ContainsFunc(marks, func(mark string) bool { return len(lead) < len(mark) && strings.HasPrefix(mark, string(lead)) })
	}
	buf := make([]byte, 4<<10)
	for empty := 0; undecided() && err == nil; empty++ {
		if empty == maxEmpty {
			return lead, io.ErrNoProgress
		}
		var n int
		if n, err = src.Read(buf[len(lead):]); n > 0 {
			lead, empty = buf[:len(lead)+n], 0
		}
	}
	return lead, err
}

// gunzip undoes gzip: one stream or several behind each other, and zero padding behind the last, as the gunzip command does.
type gunzip struct {
	src   *bufio.Reader
	z     *gzip.Reader
	ended error
}

func (g *gunzip) Read(b []byte) (int, error) {
	for g.ended == nil {
		if g.z == nil {
			z, err := gzip.NewReader(g.src)
			if err != nil {
				g.ended = err
				break
			}
			g.z = z
			g.z.Multistream(false)
		}
		n, err := g.z.Read(b)
		if err == io.EOF {
			err = nil
			g.ended = g.next()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, g.ended
}

// next goes on to the stream behind the one that has ended; io.EOF when there is none.
func (g *gunzip) next() error {
	lead, err := g.src.Peek(1)
	if err != nil {
		return err
	}
	if lead[0] != 0 {
		if lead[0] != gzipMagic[0] {
			return errBehindGzip
		}
		if err := g.z.Reset(g.src); err != nil {
			return err
		}
		g.z.Multistream(false)
		return nil
	}
	for {
		switch b, err := g.src.ReadByte(); {
		case err != nil:
			return err
		case b != 0:
			return errBehindGzip
		}
	}
}
