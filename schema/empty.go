package schema

// Empty decides how empty cells appear in a record's value.
type Empty string

// The values of STREAM_X_EMPTY.
const (
	EmptyOmit   Empty = "omit"
	EmptyNull   Empty = "null"
	EmptyString Empty = "string"
)
