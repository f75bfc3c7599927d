package config

import (
	"log/slog"
	"time"

	_ "time/tzdata" // for images without a time zone database

	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// Config is the whole configuration of one service's connector.
type Config struct {
	DFINERY  DFINERY
	Streams  []Stream
	Kafka    Kafka
	Registry Registry
	Publish  Publish
	Privacy  Privacy
	Breaker  Breaker
	Retry    Retry
	Process  Process
}

// Stream returns the stream with this name; nil if there is none.
func (c *Config) Stream(name string) *Stream {
	for i := range c.Streams {
		if c.Streams[i].Name == name {
			return &c.Streams[i]
		}
	}
	return nil
}

// StreamNames returns the names of the streams in order.
func (c *Config) StreamNames() []string {
	names := make([]string, len(c.Streams))
	for i := range c.Streams {
		names[i] = c.Streams[i].Name
	}
	return names
}

// DFINERY is the source: one service and its limits.
type DFINERY struct {
	BaseURL         URL                    `envconfig:"DFINERY_BASE_URL" default:"https://openapi.dfinery.ai" desc:"Base URL of the API, without /api/v1. Plain http:// is accepted, with a warning unless the host is loopback"`
	Service         Service                `envconfig:"DFINERY_SERVICE_ID" needed:"true" example:"1234" desc:"The id of the DFINERY service to export"`
	Token           schema.Secret          `envconfig:"DFINERY_EXPORT_TOKEN" desc:"The service's Export token. Required, here or in DFINERY_EXPORT_TOKEN_FILE"`
	TokenFile       string                 `envconfig:"DFINERY_EXPORT_TOKEN_FILE" example:"/run/secrets/dfinery-token" desc:"A file with the Export token, as an alternative; read again at most once a second"`
	Timezone        Zone                   `envconfig:"DFINERY_TIMEZONE" default:"Asia/Seoul" desc:"The IANA time zone that defines days"`
	ToDate          ToDate                 `envconfig:"DFINERY_TO_DATE" default:"inclusive" oneof:"inclusive exclusive" desc:"Whether the API's to_date is part of the range: inclusive sends D to D, exclusive D to D+1"`
	Charset         Charset                `envconfig:"DFINERY_CHARSET" desc:"The charset of exports, such as utf-8, euc-kr or utf-16; unset: as declared by the answer"`
	EmptyDay        EmptyDay               `envconfig:"DFINERY_EMPTY_DAY" default:"error" desc:"What an answer without rows means for a day that never had any: error, or a list of the answers that mean a day without events: 204, 404, empty"`
	FinalNewline    exportapi.FinalNewline `envconfig:"DFINERY_FINAL_NEWLINE" default:"auto" oneof:"auto required optional" desc:"Whether a last line without a newline is complete: auto accepts it after three proofs that the API omits the last newline; required treats such a line as cut, optional as complete"`
	OpenQuote       OpenQuote              `envconfig:"DFINERY_OPEN_QUOTE" default:"cut" oneof:"cut recover" desc:"How to treat a quote that is never closed: cut publishes nothing after it and exports the day again; recover continues after its line, for an API known not to escape quotes"`
	CallsPerHour    int                    `envconfig:"DFINERY_CALLS_PER_HOUR" default:"100" min:"1" desc:"The service's quota of export calls in any hour"`
	ConcurrentCalls int                    `envconfig:"DFINERY_CONCURRENT_CALLS" default:"5" min:"1" desc:"The service's quota of concurrent export calls"`
	HeaderTimeout   time.Duration          `envconfig:"DFINERY_HEADER_TIMEOUT" default:"5m" min:"1ms" desc:"Maximum time until the answer to an export starts"`
	IdleTimeout     time.Duration          `envconfig:"DFINERY_IDLE_TIMEOUT" default:"1m" min:"1ms" desc:"Maximum time without data during a download. The download as a whole has no limit"`
}

// Kafka is the connection to the cluster, and its topics.
type Kafka struct {
	Brokers           Brokers       `envconfig:"KAFKA_BROKERS" needed:"true" example:"kafka-1:9092,kafka-2:9092" desc:"Bootstrap brokers: host:port, comma-separated"`
	TLS               bool          `envconfig:"KAFKA_TLS" default:"false" desc:"Whether to connect to the brokers with TLS"`
	CAFile            string        `envconfig:"KAFKA_TLS_CA_FILE" desc:"A PEM file with the CA certificates for the brokers; unset: the system's. Read again for each connection"`
	CertFile          string        `envconfig:"KAFKA_TLS_CERT_FILE" desc:"A PEM file with the client certificate, with KAFKA_TLS_KEY_FILE. Read again for each connection"`
	KeyFile           string        `envconfig:"KAFKA_TLS_KEY_FILE" desc:"A PEM file of the client certificate's key"`
	Mechanism         Mechanism     `envconfig:"KAFKA_SASL_MECHANISM" oneof:"PLAIN SCRAM-SHA-256 SCRAM-SHA-512 OAUTHBEARER" desc:"SASL mechanism: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER; unset: no login"`
	Username          string        `envconfig:"KAFKA_SASL_USERNAME" desc:"The user to log in as"`
	Password          schema.Secret `envconfig:"KAFKA_SASL_PASSWORD" desc:"The user's password"`
	PasswordFile      string        `envconfig:"KAFKA_SASL_PASSWORD_FILE" example:"/run/secrets/kafka-password" desc:"A file with the password, as an alternative; read again for each connection"`
	TokenURL          TokenURL      `envconfig:"KAFKA_SASL_OAUTH_TOKEN_URL" desc:"Token endpoint for OAUTHBEARER, with OAuth 2.0 client credentials"`
	ClientID          string        `envconfig:"KAFKA_SASL_OAUTH_CLIENT_ID" desc:"The client's id at the token endpoint"`
	ClientSecret      schema.Secret `envconfig:"KAFKA_SASL_OAUTH_CLIENT_SECRET" desc:"The client's secret"`
	ClientSecretFile  string        `envconfig:"KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE" example:"/run/secrets/kafka-client-secret" desc:"A file with the secret, as an alternative; read again for each token"`
	Scope             List          `envconfig:"KAFKA_SASL_OAUTH_SCOPE" desc:"The scopes to request, comma-separated; unset: none"`
	Compression       Compression   `envconfig:"KAFKA_COMPRESSION" default:"snappy" oneof:"none gzip snappy lz4 zstd" desc:"Compression of batches: none, gzip, snappy, lz4 or zstd"`
	CreateTopics      bool          `envconfig:"KAFKA_CREATE_TOPICS" default:"true" desc:"Whether to create missing topics"`
	Partitions        int           `envconfig:"KAFKA_PARTITIONS" default:"6" min:"1" max:"100000" desc:"Partitions of the stream and dead-letter topics that the connector creates; ledger topics have one"`
	ReplicationFactor int           `envconfig:"KAFKA_REPLICATION_FACTOR" default:"-1" min:"-1" max:"32767" desc:"Replicas of the topics that the connector creates; -1: the brokers' default"`
}

// Publish is the ledger, dead letters and delivery guarantee.
type Publish struct {
	DeadLetterTopic    Topic         `envconfig:"DEAD_LETTER_TOPIC" default:"dfinery.dead-letters" desc:"The topic for failed exports and rows that could not be published"`
	DeadLetterRaw      DeadLetterRaw `envconfig:"DEAD_LETTER_RAW" oneof:"full redacted none" desc:"What dead letters show of rows and answers: full, redacted (no hidden columns, and nothing of answers and of rows that can't be read) or none; unset: redacted for streams with DROP, HASH or MASK, full for others"`
	LedgerTopic        Topic         `envconfig:"LEDGER_TOPIC" default:"dfinery.ledger" desc:"The topic that records what has been published; a second topic has .rows appended to its name"`
	Delivery           Delivery      `envconfig:"DELIVERY" default:"exactly-once" oneof:"exactly-once at-least-once" desc:"exactly-once, or at-least-once for clusters that forbid transactional ids: then two instances running at once may repeat rows"`
	CheckpointInterval time.Duration `envconfig:"CHECKPOINT_INTERVAL" default:"5s" min:"100ms" desc:"How often the ledger is updated while rows are published"`
	FenceRenewal       time.Duration `envconfig:"FENCE_RENEWAL" default:"1h" min:"1ms" max:"12h" desc:"How often the fencing of older instances is renewed, at most 12h"`
	OwnerHeartbeat     time.Duration `envconfig:"OWNER_HEARTBEAT" default:"30s" min:"1ms" desc:"How often the owner writes a heartbeat"`
	StandbyAfter       time.Duration `envconfig:"STANDBY_AFTER" default:"2m" min:"1ms" desc:"Time without a heartbeat after which a standby takes over, at least twice OWNER_HEARTBEAT"`
}

// Breaker is the configuration of the circuit breaker.
type Breaker struct {
	Failures   int           `envconfig:"BREAKER_FAILURES" default:"5" min:"1" desc:"Number of consecutive failures that open the breaker"`
	OpenFor    time.Duration `envconfig:"BREAKER_OPEN_FOR" default:"1m" min:"1ms" desc:"How long it stays open at first; each failed probe doubles the time"`
	MaxOpenFor time.Duration `envconfig:"BREAKER_MAX_OPEN_FOR" default:"15m" min:"1ms" desc:"Maximum time that it stays open"`
	TripOn     Codes         `envconfig:"BREAKER_TRIP_ON" default:"unknown_error,query_error" desc:"The failures that count. Other allowed values: client_connection_closed, http_5xx or one such as http_503, cut_body, maybe_torn, connection, tls, timeout, not_csv, empty_body"`
}

// Retry is the retry policy of a failed day.
type Retry struct {
	Backoff     time.Duration `envconfig:"RETRY_BACKOFF" default:"1s" min:"1ms" desc:"First pause after a failed export, with jitter"`
	MaxBackoff  time.Duration `envconfig:"RETRY_MAX_BACKOFF" default:"10m" min:"1ms" desc:"Maximum pause"`
	NarrowAfter int           `envconfig:"NARROW_AFTER" default:"3" min:"1" desc:"Number of failures of a day after which it is exported in slices"`
}

// Process is the program itself.
type Process struct {
	AdminAddr       Addr          `envconfig:"ADMIN_ADDR" default:":8080" empty:"true" desc:"Address of the admin server with the status page, /status, /livez, /readyz and /metrics: host:port. Empty: no admin server"`
	AdminPprof      bool          `envconfig:"ADMIN_PPROF" default:"false" desc:"Whether the admin server also serves Go profiles"`
	RunbookURL      PageURL       `envconfig:"RUNBOOK_URL" desc:"Base URL of the status page's links to the runbook; unset: the copy that the admin server has at /runbook"`
	LogLevel        slog.Level    `envconfig:"LOG_LEVEL" default:"info" oneof:"debug info warn error" desc:"debug, info, warn or error"`
	LogFormat       LogFormat     `envconfig:"LOG_FORMAT" default:"auto" oneof:"auto json text" desc:"json, text, or auto: text on a terminal and JSON elsewhere"`
	ShutdownTimeout time.Duration `envconfig:"SHUTDOWN_TIMEOUT" default:"20s" min:"1ms" desc:"Maximum duration of a shutdown; keep it below the orchestrator's grace period"`
}

// Stream is one configured export and its topic. Its variables are named STREAM_NAME_…
type Stream struct {
	Name              string               `ignored:"true"`
	Export            schema.Kind          `envconfig:"EXPORT" default:"event" oneof:"event userprofile" desc:"What is exported: event or userprofile"`
	Events            List                 `envconfig:"EVENTS" only:"event" desc:"The events to export, comma-separated; unset: all"`
	ExcludeEvents     List                 `envconfig:"EXCLUDE_EVENTS" only:"event" desc:"The events to exclude"`
	Properties        List                 `envconfig:"PROPERTIES" desc:"The properties to export, comma-separated; unset: all"`
	ExcludeProperties List                 `envconfig:"EXCLUDE_PROPERTIES" desc:"The properties to exclude"`
	Audience          string               `envconfig:"AUDIENCE" only:"userprofile" desc:"The id of the audience whose profiles are exported; unset: all users"`
	Identities        string               `envconfig:"IDENTITIES" only:"userprofile" oneof:"all include exclude" desc:"The API's identities_condition_type: all, include or exclude; unset: not sent. The customer's own id, df_external_id, may be exported only with all"`
	Topic             Topic                `envconfig:"TOPIC" default:"dfinery.X" desc:"The topic to publish to"`
	Key               Key                  `envconfig:"KEY" default:"df_unified_id" desc:"The column whose bytes are the record key; with several, comma-separated, the key is a JSON array of strings"`
	Empty             schema.Empty         `envconfig:"EMPTY" default:"omit" oneof:"omit null string" desc:"How empty cells appear: omit, null or string"`
	MaxBad            Share                `envconfig:"MAX_BAD" default:"50%" desc:"Maximum share of bad rows in an export, from the 1,000th row on; more end the export and halt the stream. off: no limit"`
	Mode              Mode                 `envconfig:"MODE" default:"all" only:"userprofile" oneof:"all changes" desc:"What is published of a userprofile stream's snapshots: all rows, or only the changes, into a compacted topic that equals the current profiles"`
	Deletes           Deletes              `envconfig:"DELETES" default:"tombstone" only:"userprofile" oneof:"tombstone never" desc:"What happens to absent profiles with MODE=changes: tombstone deletes them from the topic, never keeps them"`
	DeleteAfter       time.Duration        `envconfig:"DELETE_AFTER" default:"24h" only:"userprofile" min:"0s" desc:"How long a profile must be absent before it is deleted; at least two snapshots must lack it in any case"`
	DeleteMost        Share                `envconfig:"DELETE_MOST" default:"1%" only:"userprofile" desc:"Maximum share of profiles that is deleted within 7 days, at least 10 profiles and at most half of them; more must be approved with dfinery-kafka profiles approve. off: only the limit of half of the profiles"`
	Format            encoding.Format      `envconfig:"FORMAT" default:"json" oneof:"json json-typed json-schema avro protobuf" desc:"Format of record values: json (all values strings), json-typed, or with a schema registry json-schema, avro or protobuf"`
	Columns           Columns              `envconfig:"COLUMNS" desc:"The types of columns, comma-separated COLUMN:TYPE or COLUMN:TYPE:FIELD; unset: those of the standard columns, string for all others"`
	ColumnsFile       string               `envconfig:"COLUMNS_FILE" desc:"A CSV file column,type[,field] with the types, as an alternative"`
	BadValue          BadValue             `envconfig:"BAD_VALUE" default:"dead-letter" oneof:"dead-letter null" desc:"What happens to a cell that is not a value of its column's type: its row becomes a dead letter, or the value is null and counted"`
	Record            string               `envconfig:"RECORD" default:"dfinery.X" desc:"The full name of the record in its schema"`
	Subject           encoding.SubjectRule `envconfig:"SUBJECT" default:"topic" oneof:"topic record topic-record" desc:"Subject name of the schema: topic (TOPIC-value), record (its full name) or topic-record"`
	Headers           List                 `envconfig:"HEADERS" desc:"Columns whose cells become record headers of the same name, comma-separated; an empty cell adds no header"`
	CloudEvents       bool                 `envconfig:"CLOUDEVENTS" default:"false" desc:"Whether records have the attributes of CloudEvents 1.0 as headers ce_…, in the binary mode of its Kafka binding"`
	Drop              List                 `envconfig:"DROP" desc:"Columns that are not published, as if the export did not have them, comma-separated exact names"`
	Hash              List                 `envconfig:"HASH" desc:"Columns whose cells are replaced by their hash with the key in PRIVACY_KEY_FILE, comma-separated exact names"`
	Mask              List                 `envconfig:"MASK" desc:"Columns whose cells are replaced by ***, comma-separated exact names"`
	Meta              bool                 `envconfig:"META" default:"false" desc:"Whether values also have the members _id, _day, _stream and _service, for sinks that drop headers"`
	Contract          schema.Contract      `envconfig:"CONTRACT" default:"evolve" oneof:"evolve warn freeze" desc:"What happens when a header has columns that the stream never had: they are published (evolve), published with a warning (warn), or the stream is halted before the first row (freeze)"`
	PollInterval      time.Duration        `envconfig:"POLL_INTERVAL" default:"10m" userprofile:"24h" min:"1ms" desc:"How often today is exported; a userprofile stream's default is 24h"`
	Lookback          int                  `envconfig:"LOOKBACK" default:"2" only:"event" min:"0" max:"29" desc:"Number of days before today that are exported again, for late events"`
	LookbackInterval  time.Duration        `envconfig:"LOOKBACK_INTERVAL" default:"1h" only:"event" min:"1ms" desc:"How often each of those days is exported again"`
	Start             Start                `envconfig:"START" default:"30" only:"event" desc:"The first day to export: a number of days before today, 0 to 30, which moves with today, or a date such as 2026-11-23"`
}

// streamNames is not part of Config, whose Streams have the names.
type streamNames struct {
	Names Names `envconfig:"STREAMS" default:"events" desc:"The names of the streams, comma-separated; each reads its own STREAM_NAME_… variables"`
}
