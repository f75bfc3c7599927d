package exportapi

import (
	"bytes"
	"io"
	"mime"
	"strings"

	"dfinery-kafka/connector/csv"
)

const csvType = "text/csv"

// contentType returns the media type without its parameters, also for a malformed value.
func contentType(value string) string {
	kind, _, err := mime.ParseMediaType(value)
	if err != nil {
		kind, _, _ = strings.Cut(value, ";")
	}
	return strings.ToLower(strings.TrimSpace(kind))
}

func isJSONType(kind string) bool {
	return kind == "application/json" || strings.HasSuffix(kind, "+json") || kind == "text/json"
}

func isHTMLType(kind string) bool { return kind == "text/html" || kind == "application/xhtml+xml" }

// isTextType reports whether a CSV is commonly sent with this type, or without any.
func isTextType(kind string) bool {
	return !strings.Contains(kind, "/") || kind == csvType || kind == "application/csv" || kind == "text/comma-separated-values" || kind == "text/plain" || kind == "application/vnd.ms-excel"
}

// firstLine reads until lead contains the first line of the body, or more than the longest header.
func firstLine(src io.Reader, lead []byte, err error) ([]byte, error) {
	for err == nil && len(lead) < maxAnswer && bytes.IndexByte(bytes.TrimLeft(lead, " \t\r\n"), '\n') < 0 {
		more := make([]byte, 4<<10)
		var n int
		n, err = src.Read(more)
		lead = append(lead, more[:n]...)
	}
	return lead, err
}

// hasKeyColumns reports whether text starts with a header line that has the columns of the
// stream's key, which means that it is a CSV.
func (k *call) hasKeyColumns(text []byte) bool {
	columns, err := csv.NewReader(bytes.NewReader(text), csv.Options{}).Header()
	return err == nil && k.export.Key.Missing(columns) == nil
}
