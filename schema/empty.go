package schema

// Empty says what becomes of empty cells in a record's value.
type Empty string

// The values of STREAM_X_EMPTY.
const (
	EmptyOmit   Empty = "omit"
	EmptyNull   Empty = "null"
	EmptyString Empty = "string"
)
