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

// maxCodings limits how often a body may be compressed: some proxies compress a compressed body
// again.
const maxCodings = 2

// codingError reports a body in an unsupported or wrongly declared content coding.
type codingError struct{ declared string }

func (e *codingError) Error() string {
	return fmt.Sprintf("the body is not text, and its Content-Encoding %q can't be decoded", e.declared)
}

// errAfterGzip reports data after the end of a gzip stream.
var errAfterGzip = errors.New("the gzip stream is followed by bytes that are neither gzip nor zero padding")

// contentCoding decompresses the body. It does not trust the header, because servers and
// proxies get it wrong: a body that starts with gzip's magic bytes is gzip, and text is text. A
// body that is neither is in the coding that the header names. If that is not gzip, the coding
// is returned and the caller refuses the body.
func (k *call) contentCoding(src io.Reader, header http.Header) (plain io.Reader, other *codingError) {
	declared := strings.Join(header["Content-Encoding"], ", ")
	for layer := 0; ; layer++ {
		lead, err := readMark(src, gzipMagic)
		src = &prefixedReader{lead, src, err}
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

// plainText handles a body that does not start with gzip's magic bytes, after layers of gzip
// were decoded.
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
		return &gunzip{src: bufio.NewReaderSize(src, 64<<10)}, nil // which reports that the body is cut
	case isGzip(declared) && !textual(lead): // possibly text in UTF-16
		return src, &codingError{declared}
	}
	k.warnUncompressed(declared)
	return src, nil
}

// warnUncompressed warns that a body is not in the coding that its header names.
func (k *call) warnUncompressed(declared string) {
	k.warn("content coding", "the answer is not compressed although its Content-Encoding says so: it is read as it is", declared, fixServer)
}

// fixServer is the advice about a wrong header.
const fixServer = "nothing: rows are not affected; you can report it to the operator of the proxy or server that sets the header"

// gzipMagic is the start of a gzip stream, including the only compression method.
const gzipMagic = "\x1f\x8b\x08"

func isGzip(declared string) bool {
	for coding := range strings.SplitSeq(declared, ",") {
		if coding = strings.ToLower(strings.TrimSpace(coding)); coding == "gzip" || coding == "x-gzip" {
			return true
		}
	}
	return false
}

// isCoding reports whether the header names a compression other than gzip. Some servers write
// charsets and the like there.
func isCoding(declared string) bool {
	for coding := range strings.SplitSeq(declared, ",") {
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "br", "compress", "x-compress", "deflate", "zstd", "dcb", "dcz", "exi", "aes128gcm", "pack200-gzip", "bzip2", "xz", "lz4", "snappy":
			return true
		}
	}
	return false
}

// textual reports whether a body that starts with lead may be text.
func textual(lead []byte) bool {
	for _, b := range lead[:min(len(lead), 16)] {
		if b < ' ' && b != '\t' && b != '\r' && b != '\n' {
			return false
		}
	}
	return true
}

// readMark reads until the bytes read are not the start of any of the marks, or contain one.
// For most bodies the first byte decides.
func readMark(src io.Reader, marks ...string) (lead []byte, err error) {
	undecided := func() bool {
		return slices.ContainsFunc(marks, func(mark string) bool { return len(lead) < len(mark) && strings.HasPrefix(mark, string(lead)) })
	}
	buf := make([]byte, 4<<10)
	for empty := 0; undecided() && err == nil; empty++ {
		if empty == maxEmptyReads {
			return lead, io.ErrNoProgress
		}
		var n int
		if n, err = src.Read(buf[len(lead):]); n > 0 {
			lead, empty = buf[:len(lead)+n], 0
		}
	}
	return lead, err
}

// gunzip decompresses one or more concatenated gzip streams and accepts zero padding after the
// last, like the gunzip command.
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

// next starts the next gzip stream; io.EOF if there is none.
func (g *gunzip) next() error {
	lead, err := g.src.Peek(1)
	if err != nil {
		return err
	}
	if lead[0] != 0 {
		if lead[0] != gzipMagic[0] {
			return errAfterGzip
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
			return errAfterGzip
		}
	}
}
