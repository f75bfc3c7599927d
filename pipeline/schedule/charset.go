package schedule

import "dfinery-kafka/schema"

// publishedCharset names what the stream's published rows were read in; empty if it has none. Unless something else is known they are UTF-8:
// releases that decoded nothing published no others.
func (s *Stream) publishedCharset() string {
	if s.charset != "" {
		return s.charset
	}
	if s.hadRows() {
		return schema.UTF8
	}
	return ""
}

// noteCharset keeps what the source says of the stream's text, so that no later answer can make other text of the same rows. UTF-8 is what is
// meant if nothing is kept.
func (s *Stream) noteCharset(name string) {
	switch name {
	case "":
	case schema.UTF8:
		s.charset = ""
	default:
		s.charset = name
	}
}
