package schedule

import "dfinery-kafka/schema"

// charset is the encoding from which a stream's published rows were decoded; empty if
// unknown.
type charset string

// of returns the encoding of the published rows; empty without rows. The default is
// UTF-8: releases that decoded nothing published no other rows.
func (c charset) of(published bool) string {
	if c == "" && published {
		return schema.UTF8
	}
	return string(c)
}

// note records the encoding that the source reports, so that later answers decode the
// same rows to the same text. Without a record it is UTF-8.
func (c *charset) note(name string) {
	switch name {
	case "":
	case schema.UTF8:
		*c = ""
	default:
		*c = charset(name)
	}
}
