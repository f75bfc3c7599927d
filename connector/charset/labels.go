package charset

import (
	"fmt"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// UnknownError reports a label of no supported charset.
type UnknownError struct{ Label string }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("charset %q is not supported", e.Label)
}

// Parse returns the charset with this label: a name or alias from the IANA registry, the WHATWG
// Encoding Standard or a vendor. Case, spaces, dashes and underscores are ignored. As in
// browsers, euc-kr means its superset cp949, and iso-8859-1 means windows-1252. The error is an
// *UnknownError.
func Parse(label string) (Charset, error) {
	key := normalize(label)
	if c, ok := wide(key); ok {
		return c, nil
	}
	switch key {
	case "utf8", "utf8sig", "utf8mb4", "utf8mb3", "unicode11utf8", "unicode20utf8", "xunicode20utf8", "cp65001", "windows65001":
		return Charset{}, nil
	case "ascii", "usascii", "csascii", "ansix3.41968", "ansix341968", "iso646us", "iso646.irv:1991", "646", "us", "cp367", "ibm367":
		return Charset{}, nil // a subset of UTF-8
	}
	if name, e := multi(key); e != nil {
		return Charset{name: name, kind: multiByte, encoding: e}, nil
	}
	if name, e := single(key); e != nil {
		return Charset{name: name, kind: singleByte, encoding: e}, nil
	}
	return Charset{}, &UnknownError{Label: label}
}

// normalize removes the differences between spellings of one label.
func normalize(label string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '-', '_', ' ', '\t', '"', '\'':
			return -1
		}
		return r
	}, strings.ToLower(label))
}

func wide(key string) (Charset, bool) {
	c := Charset{kind: utf16Kind, name: "utf-16"}
	switch strings.TrimPrefix(key, "x") {
	case "utf16", "unicode", "csunicode", "iso10646ucs2", "ucs2", "csutf16":
		c.anyEndian = true
	case "utf16le", "unicodefeff", "ucs2le", "csutf16le", "cp1200", "windows1200":
		c.name = "utf-16le"
	case "utf16be", "unicodefffe", "ucs2be", "csutf16be", "cp1201", "windows1201":
		c.name, c.bigEndian = "utf-16be", true
	case "utf32", "ucs4", "iso10646ucs4", "csucs4", "csutf32":
		c.kind, c.name, c.anyEndian = utf32Kind, "utf-32", true
	case "utf32le", "ucs4le", "csutf32le":
		c.kind, c.name = utf32Kind, "utf-32le"
	case "utf32be", "ucs4be", "csutf32be":
		c.kind, c.name, c.bigEndian = utf32Kind, "utf-32be", true
	default:
		return Charset{}, false
	}
	return c, true
}

func multi(key string) (name string, e encoding.Encoding) {
	switch strings.TrimPrefix(key, "x") {
	case "euckr", "cseuckr", "korean", "ksc56011987", "ksc56011989", "ksc5601", "ksc56011992", "csksc56011987", "isoir149", "ksx1001",
		"cp949", "ms949", "windows949", "uhc", "949", "ibm949", "extendedunixcodekr":
		return "euc-kr", korean.EUCKR
	case "shiftjis", "sjis", "csshiftjis", "mskanji", "ms932", "cp932", "windows932", "windows31j", "cswindows31j", "932":
		return "shift_jis", japanese.ShiftJIS
	case "eucjp", "cseucpkdfmtjapanese", "ujis", "extendedunixcodepackedformatforjapanese":
		return "euc-jp", japanese.EUCJP
	case "iso2022jp", "csiso2022jp", "jis":
		return "iso-2022-jp", japanese.ISO2022JP
	case "gb18030", "csgb18030", "gb180302000", "gb180302005", "cp54936", "windows54936":
		return "gb18030", simplifiedchinese.GB18030
	case "gbk", "csgbk", "cp936", "ms936", "windows936", "936", "gb2312", "csgb2312", "gb231280", "chinese", "csiso58gb231280", "isoir58", "euccn":
		return "gbk", simplifiedchinese.GBK
	case "big5", "csbig5", "cnbig5", "xbig5", "big5hkscs", "csbig5hkscs", "cp950", "ms950", "windows950", "950":
		return "big5", traditionalchinese.Big5
	}
	return "", nil
}

// single finds a single-byte charset by one of its common names, such as iso-8859-15, latin9,
// cp1252, windows-1252, ibm866 or koi8-r.
func single(key string) (name string, e encoding.Encoding) {
	key = strings.TrimPrefix(strings.TrimPrefix(key, "x"), "cs")
	for _, prefix := range []string{"windows", "cp", "ibm", "ms", "dos"} {
		if page, ok := strings.CutPrefix(key, prefix); ok {
			key = "cp" + page
			break
		}
	}
	key = strings.TrimSuffix(strings.Replace(key, "isolatin", "latin", 1), ":1987")
	for _, s := range singles {
		for _, alias := range strings.Fields(s.aliases) {
			if key == alias {
				return s.name, s.encoding
			}
		}
	}
	return "", nil
}

var singles = []struct {
	name, aliases string
	encoding      *charmap.Charmap
}{
	{"windows-1252", "cp1252 iso88591 latin1 l1 cp819 isoir100 1252 ansi", charmap.Windows1252},
	{"windows-1250", "cp1250 1250", charmap.Windows1250},
	{"windows-1251", "cp1251 1251", charmap.Windows1251},
	{"windows-1253", "cp1253 1253", charmap.Windows1253},
	{"windows-1254", "cp1254 1254 iso88599 latin5 l5 isoir148", charmap.Windows1254},
	{"windows-1255", "cp1255 1255", charmap.Windows1255},
	{"windows-1256", "cp1256 1256", charmap.Windows1256},
	{"windows-1257", "cp1257 1257", charmap.Windows1257},
	{"windows-1258", "cp1258 1258", charmap.Windows1258},
	{"windows-874", "cp874 874 tis620 iso885911", charmap.Windows874},
	{"iso-8859-2", "iso88592 latin2 l2 isoir101", charmap.ISO8859_2},
	{"iso-8859-3", "iso88593 latin3 l3 isoir109", charmap.ISO8859_3},
	{"iso-8859-4", "iso88594 latin4 l4 isoir110", charmap.ISO8859_4},
	{"iso-8859-5", "iso88595 cyrillic isolatincyrillic latincyrillic isoir144", charmap.ISO8859_5},
	{"iso-8859-6", "iso88596 arabic latinarabic ecma114 asmo708 isoir127", charmap.ISO8859_6},
	{"iso-8859-7", "iso88597 greek greek8 latingreek ecma118 elot928 isoir126", charmap.ISO8859_7},
	{"iso-8859-8", "iso88598 iso88598i hebrew latinhebrew visual logical isoir138", charmap.ISO8859_8},
	{"iso-8859-10", "iso885910 latin6 l6 isoir157", charmap.ISO8859_10},
	{"iso-8859-13", "iso885913 latin7 l7", charmap.ISO8859_13},
	{"iso-8859-14", "iso885914 latin8 l8", charmap.ISO8859_14},
	{"iso-8859-15", "iso885915 latin9 l9", charmap.ISO8859_15},
	{"iso-8859-16", "iso885916 latin10 l10", charmap.ISO8859_16},
	{"koi8-r", "koi8r koi8 koi", charmap.KOI8R},
	{"koi8-u", "koi8u koi8ru", charmap.KOI8U},
	{"macintosh", "macintosh mac macroman", charmap.Macintosh},
	{"x-mac-cyrillic", "maccyrillic macukrainian", charmap.MacintoshCyrillic},
	{"ibm437", "cp437 437", charmap.CodePage437},
	{"ibm850", "cp850 850", charmap.CodePage850},
	{"ibm852", "cp852 852", charmap.CodePage852},
	{"ibm855", "cp855 855", charmap.CodePage855},
	{"ibm858", "cp858 858", charmap.CodePage858},
	{"ibm860", "cp860 860", charmap.CodePage860},
	{"ibm862", "cp862 862", charmap.CodePage862},
	{"ibm863", "cp863 863", charmap.CodePage863},
	{"ibm865", "cp865 865", charmap.CodePage865},
	{"ibm866", "cp866 866", charmap.CodePage866},
}
