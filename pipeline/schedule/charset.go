package schedule

import "dfinery-kafka/schema"

// charset names what a stream's published rows were read in; empty if that is not known.
type charset string

// of names what the published rows were read in; empty without any. Unless something
// else is known they are UTF-8: releases that decoded nothing published no others.
func (c charset) of(hadRows bool) string {
	if c == "" && hadRows {
		return schema.UTF8
	}
	return string(c)
}

// note keeps what the source says of the stream's text, so that no later answer can
// make other text of the same rows. UTF-8 is what is meant if nothing is kept.
func (c *charset) note(name string) {
	switch name {
	case "":
	case schema.UTF8:
		*c = ""
	default:
		*c = charset(name)
	}
}
