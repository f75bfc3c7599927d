package charset_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"dfinery-kafka/connector/charset"
)

func TestParse(t *testing.T) {
	for label, want := range map[string]string{
		"utf-8": "utf-8", "UTF8": "utf-8", `"utf-8"`: "utf-8", "us-ascii": "utf-8", "utf_8_sig": "utf-8",
		"EUC-KR": "euc-kr", "euc_kr": "euc-kr", "cp949": "euc-kr", "MS949": "euc-kr", "x-windows-949": "euc-kr", "ks_c_5601-1987": "euc-kr", "UHC": "euc-kr",
		"Shift_JIS": "shift_jis", "windows-31j": "shift_jis", "cp932": "shift_jis", "x-sjis": "shift_jis", "EUC-JP": "euc-jp", "ISO-2022-JP": "iso-2022-jp",
		"GB18030": "gb18030", "gb2312": "gbk", "GBK": "gbk", "cp936": "gbk", "Big5": "big5", "big5-hkscs": "big5",
		"utf-16": "utf-16", "UTF-16LE": "utf-16le", "utf_16_be": "utf-16be", "ucs-2": "utf-16", "utf-32": "utf-32", "utf-32be": "utf-32be",
		"ISO-8859-1": "windows-1252", "iso8859_1": "windows-1252", "latin-1": "windows-1252", "Windows-1252": "windows-1252", "cp1252": "windows-1252",
		"iso-8859-15": "iso-8859-15", "latin9": "iso-8859-15", "windows-1251": "windows-1251", "koi8-r": "koi8-r", "IBM866": "ibm866", "macintosh": "macintosh",
		"csISOLatin1": "windows-1252", "cskoi8r": "koi8-r",
	} {
		c, err := charset.Parse(label)
		if err != nil || c.Name() != want {
			t.Errorf("%q is %q, %v; want %q", label, c.Name(), err, want)
		}
	}
	for _, label := range []string{"", "utf-7", "utf-9", "johab", "iso-2022-kr", "hz-gb-2312", "replacement", "x-user-defined", "ibm037", "binary", "charset", "한글"} {
		if c, err := charset.Parse(label); !isUnknown(err) {
			t.Errorf("%q is %q, %v", label, c.Name(), err)
		}
	}
}

func isUnknown(err error) bool {
	var unknown *charset.UnknownError
	return errors.As(err, &unknown)
}

// TestReader: the input was encoded by another program; the output is what a CSV reader must get.
func TestReader(t *testing.T) {
	for _, c := range []struct {
		name, label string
		policy      charset.Policy
		in, out     string
		turnsOut    string
	}{
		{"hangul", "euc-kr", charset.Decode, "\xb1\xb8\xb8\xc5,1\n\xc8\xb8\xc8\xad\r\n", "구매,1\n회화\r\n", "euc-kr"},
		{"hangul beyond ks x 1001", "euc-kr", charset.Decode, "\x8c\x63\xb9\xe6\n", "똠방\n", "euc-kr"},
		{"kana whose second byte is a backslash", "shift_jis", charset.Decode, "\x83\x5c,\"\x94\x5c\"\n", "ソ,\"能\"\n", "shift_jis"},
		{"a second byte that is a digit", "gb18030", charset.Decode, "\x81\x30\x81\x30,\xc4\xe3\n", "\u0080,你\n", "gb18030"},
		{"a genuine U+FFFD", "gb18030", charset.Decode, "\x84\x31\xa4\x37,\xff\n", "\ufffd,\xff\n", "gb18030"},
		{"big5", "big5", charset.Decode, "\xa7\x41\xa6\x6e\n", "你好\n", "big5"},
		{"euc-jp with three bytes", "euc-jp", charset.Decode, "\xc6\xfc,\x8f\xb0\xa1,\x8e\xb1\n", "日,丂,ｱ\n", "euc-jp"},
		{"escapes", "iso-2022-jp", charset.Decode, "\x1b$BF|\x1b(B,a\n", "日,a\n", "iso-2022-jp"},
		{"an escape that is not undone", "iso-2022-jp", charset.Decode, "a,\x1b$BF|\na,b\n", "a,日\na,b\n", "iso-2022-jp"},
		{"half a character before a quote", "euc-kr", charset.Decode, "\"a\xb1\",b\n", "\"a\xff\",b\n", "euc-kr"},
		{"half a character before a newline", "big5", charset.Decode, "a\xa7\nb\n", "a\xff\nb\n", "big5"},
		{"half a character before a comma", "euc-jp", charset.Decode, "a\x8f,\xc6\xfc\n", "a\xff,日\n", "euc-jp"},
		{"a byte before a character", "euc-kr", charset.Decode, "\xff\xb1\xb8\n", "\xff구\n", "euc-kr"},
		{"the body's end in a character", "euc-kr", charset.Decode, "a\n\xb1", "a\n\xf0", "euc-kr"},
		{"no newline at the end", "euc-kr", charset.Decode, "a\n\xb1\xb8", "a\n구", "euc-kr"},

		{"utf-16 with a mark", "utf-16", charset.Decode, "\xff\xfea\x00\x6c\xad\n\x00", "a구\n", "utf-16"},
		{"utf-16 with the other mark", "utf-16le", charset.Decode, "\xff\xfea\x00", "a", "utf-16le"},
		{"utf-16 without a mark", "utf-16", charset.Decode, "a\x00,\x00b\x00\n\x00", "a,b\n", "utf-16"},
		{"utf-16 without a mark, big", "utf-16", charset.Decode, "\x00a\x00,\x00b\x00\n", "a,b\n", "utf-16"},
		{"utf-16 with a mark only later", "utf-16be", charset.Decode, "\x00a\xfe\xff\x00\n", "a\ufeff\n", "utf-16be"},
		{"a pair of surrogates", "utf-16le", charset.Decode, "\x3d\xd8\x00\xde\n\x00", "\U0001f600\n", "utf-16le"},
		{"a lone surrogate before a comma", "utf-16le", charset.Decode, "\x3d\xd8,\x00b\x00", "\xff,b", "utf-16le"},
		{"a lone surrogate at the end", "utf-16le", charset.Decode, "b\x00\x3d\xd8", "b\xff", "utf-16le"},
		{"a genuine U+FFFD of utf-16", "utf-16le", charset.Decode, "\xfd\xff\n\x00", "\ufffd\n", "utf-16le"},
		{"an odd byte at the end", "utf-16le", charset.Decode, "b\x00\n", "b\xf0", "utf-16le"},
		{"utf-32", "utf-32", charset.Decode, "\xff\xfe\x00\x00a\x00\x00\x00\x00\xf6\x01\x00", "a\U0001f600", "utf-32"},
		{"what is no character of utf-32", "utf-32be", charset.Decode, "\x00\x11\x00\x00\x00\x00\x00\n", "\xff\n", "utf-32be"},

		{"latin-1", "iso-8859-1", charset.Decode, "caf\xe9,\x80\n", "café,€\n", "windows-1252"},
		{"a byte that windows-1252 lacks", "iso-8859-1", charset.Decode, "caf\xe9\x81\n", "café\xff\n", "windows-1252"},
		{"utf-8 read in latin-1 by force", "iso-8859-1", charset.Decode, "caf\xc3\xa9\n", "cafÃ©\n", "windows-1252"},
		{"utf-8 preferred", "iso-8859-1", charset.Prefer, "caf\xe9\ncaf\xc3\xa9\ncaf\xe9\n", "café\ncafé\ncafé\n", "windows-1252"},
		{"utf-8 preferred, nothing but ascii", "iso-8859-1", charset.Prefer, "cafe\n", "cafe\n", "us-ascii"},
		{"latin-1 detected", "iso-8859-1", charset.Detect, "cafe\ncaf\xe9\ncaf\xc3\xa9\n", "cafe\ncafé\ncafé\n", "windows-1252"},
		{"utf-8 detected", "iso-8859-1", charset.Detect, "cafe\ncaf\xc3\xa9\ncaf\xe9\n", "cafe\ncafé\ncaf\xe9\n", "utf-8"},
		{"broken utf-8 detected", "iso-8859-1", charset.Detect, "구\xff\ncaf\xe9\n", "구\xff\ncaf\xe9\n", "utf-8"},
		{"broken utf-8 preferred", "iso-8859-1", charset.Prefer, "caf\xe9\n구\xff\n", "café\n구\xff\n", "windows-1252"},
		{"latin-1 that has two bytes of utf-8 by chance", "iso-8859-1", charset.Detect, "\xdf\x80 caf\xe9\n", "ß€ café\n", "windows-1252"},
		{"nothing detected", "iso-8859-1", charset.Detect, "cafe\n", "cafe\n", "us-ascii"},

		{"guarded", "euc-kr", charset.Guard, "ascii\n\xb1\xb8\xb8\xc5\n", "ascii\n구매\n", "euc-kr"},
	} {
		t.Run(c.name, func(t *testing.T) {
			parsed, err := charset.Parse(c.label)
			if err != nil {
				t.Fatal(err)
			}
			for pieces, src := range map[string]io.Reader{
				"whole": strings.NewReader(c.in), "byte by byte": iotest.OneByteReader(strings.NewReader(c.in)),
				"its end with its last bytes": iotest.DataErrReader(strings.NewReader(c.in)),
			} {
				r := charset.NewReader(src, parsed, c.policy)
				out, err := io.ReadAll(r)
				if string(out) != c.out || err != nil {
					t.Errorf("%s: %q, %v; want %q", pieces, out, err, c.out)
				}
				if got := r.Charset(); got != c.turnsOut {
					t.Errorf("%s: detected %s, want %s", pieces, got, c.turnsOut)
				}
			}
		})
	}
}

func TestReader_Guard(t *testing.T) {
	korean, _ := charset.Parse("euc-kr")
	japanese, _ := charset.Parse("iso-2022-jp")
	for _, c := range []struct {
		name    string
		charset charset.Charset
		in, out string
		offset  int64
	}{
		{"utf-8", korean, "a\n\xb1\xb8\n구매\n\xb1\xb8\n", "a\n구\n", 5},
		{"characters that are both", korean, "a\n\xc8\xb8\n", "a\n", 2},
		{"escapes", japanese, "a\n\x1b$BF|\x1b(B\n", "a\n", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := io.ReadAll(charset.NewReader(iotest.HalfReader(strings.NewReader(c.in)), c.charset, charset.Guard))
			var conflict *charset.ConflictError
			if !errors.As(err, &conflict) || conflict.Offset != c.offset || string(out) != c.out {
				t.Errorf("%q, %v; want %q and a conflict at %d", out, err, c.out, c.offset)
			}
		})
	}
}

// TestReader_SourceFails: bytes that were read before an error of the source are returned, then the
// error, repeatedly.
func TestReader_SourceFails(t *testing.T) {
	korean, _ := charset.Parse("euc-kr")
	failed := errors.New("failed")
	r := charset.NewReader(io.MultiReader(strings.NewReader("\xb1\xb8\n\xb8\xc5"), iotest.ErrReader(failed)), korean, charset.Decode)
	out, err := io.ReadAll(r)
	if string(out) != "구\n매" || err != failed {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := r.Read(make([]byte, 1)); err != failed {
		t.Errorf("then %v", err)
	}
}

// FuzzReader: any bytes are decoded as the encoding defines, or as invalid, independent of the
// sizes of reads, and no line feed is lost.
func FuzzReader(f *testing.F) {
	labels := []string{"euc-kr", "shift_jis", "euc-jp", "iso-2022-jp", "gb18030", "gbk", "big5", "windows-1252", "koi8-r"}
	f.Add(0, []byte("\xb1\xb8,a\n\xff"))
	f.Add(3, []byte("\x1b$BF|\x1b(B,a\n\x1b$B\n"))
	f.Add(4, []byte("\x81\x30\x81\x30\x84\x31\xa4\x37\n"))
	f.Fuzz(func(t *testing.T, which int, in []byte) {
		c, err := charset.Parse(labels[uint(which)%uint(len(labels))])
		if err != nil {
			t.Fatal(err)
		}
		whole, err := io.ReadAll(charset.NewReader(bytes.NewReader(in), c, charset.Decode))
		if err != nil {
			t.Fatal(err)
		}
		pieces, _ := io.ReadAll(charset.NewReader(iotest.OneByteReader(bytes.NewReader(in)), c, charset.Decode))
		if !bytes.Equal(whole, pieces) {
			t.Errorf("%s: %q whole, %q in pieces", c.Name(), whole, pieces)
		}
		if got, want := bytes.Count(whole, []byte("\n")), bytes.Count(in, []byte("\n")); got != want {
			t.Errorf("%s: %d line feeds of %d: %q", c.Name(), got, want, whole)
		}
		if c.Name() != "gb18030" && bytes.Contains(whole, []byte("\ufffd")) {
			t.Errorf("%s has no U+FFFD: %q", c.Name(), whole)
		}
	})
}
