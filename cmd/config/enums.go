package config

// ToDate is whether the API's to_date is part of the requested range.
type ToDate string

// The values of DFINERY_TO_DATE.
const (
	Inclusive ToDate = "inclusive"
	Exclusive ToDate = "exclusive"
)

// OpenQuote is how to treat a quote that is never closed.
type OpenQuote string

// The values of DFINERY_OPEN_QUOTE.
const (
	CutAtQuote   OpenQuote = "cut"
	RecoverQuote OpenQuote = "recover"
)

// Mechanism is a SASL mechanism; empty means no login.
type Mechanism string

// The values of KAFKA_SASL_MECHANISM, as IANA registers them.
const (
	Plain       Mechanism = "PLAIN"
	ScramSHA256 Mechanism = "SCRAM-SHA-256"
	ScramSHA512 Mechanism = "SCRAM-SHA-512"
	OAuthBearer Mechanism = "OAUTHBEARER"
)

// Compression is the codec of record batches.
type Compression string

// The values of KAFKA_COMPRESSION.
const (
	None   Compression = "none"
	Gzip   Compression = "gzip"
	Snappy Compression = "snappy"
	LZ4    Compression = "lz4"
	Zstd   Compression = "zstd"
)

// Delivery is the delivery guarantee.
type Delivery string

// The values of DELIVERY.
const (
	ExactlyOnce Delivery = "exactly-once"
	AtLeastOnce Delivery = "at-least-once"
)

// LogFormat is the form of log lines.
type LogFormat string

// The values of LOG_FORMAT.
const (
	Auto LogFormat = "auto"
	JSON LogFormat = "json"
	Text LogFormat = "text"
)

// Mode is what a stream publishes of a snapshot.
type Mode string

// The values of STREAM_X_MODE.
const (
	ModeAll     Mode = "all"
	ModeChanges Mode = "changes"
)

// Deletes is what happens to absent profiles.
type Deletes string

// The values of STREAM_X_DELETES.
const (
	DeletesTombstone Deletes = "tombstone"
	DeletesNever     Deletes = "never"
)
