package schema

import (
	"slices"
	"strconv"
	"strings"
)

// Rule defines the consequences of a failure for the whole program. All code that distinguishes
// failures uses it, or the Effect of its class.
type Rule struct {
	Code    Code
	Scope   Scope
	Class   Class   // of an export's failure
	Breaker Counted // whether the breaker counts it
	Advice  string  // what the program does next, or what the operator must do
}

// Scope is what failed, and where the code comes from.
type Scope int

// The scopes.
const (
	OfExport Scope = iota // the export failed, with a code of the connector
	OfAPI                 // the export failed, with a code of the API
	OfRow                 // the row is a dead letter, and the export continues
)

// Counted decides whether the breaker counts a failure.
type Counted int

// The values of Counted.
const (
	Never     Counted = iota // not even if BREAKER_TRIP_ON names it
	OnRequest                // if BREAKER_TRIP_ON names it
	Always                   // unless BREAKER_TRIP_ON is set and does not name it
)

const (
	later     = "the day is exported again later"
	atItsPace = "only this day is exported again, today at its poll interval and an earlier day at its lookback interval"
	noReset   = "no call is made until the quota's reset"
	newToken  = "set another DFINERY_EXPORT_TOKEN, or write it to DFINERY_EXPORT_TOKEN_FILE"
	request   = "check DFINERY_BASE_URL, DFINERY_SERVICE_ID and the stream's filters"
	source    = "have the source corrected: the row is published at its day's next export"
)

// Rules returns the rules of all codes except http_STATUS (see HTTPStatus): the codes of
// exports first, then those of rows.
func Rules() []Rule {
	return []Rule{
		{UnknownError, OfAPI, Outage, Always, later},
		{QueryError, OfAPI, Outage, Always, later},

		{ClientConnectionClosed, OfAPI, Trouble, OnRequest,
			"the API reports that the client closed the connection, possibly because of a proxy in between; the day is exported again later"},
		{CutBody, OfExport, Trouble, OnRequest, later},
		{MaybeTorn, OfExport, Truncated, OnRequest, atItsPace},
		{OpenQuote, OfExport, Truncated, Never, atItsPace},
		{EmptyBody, OfExport, Trouble, OnRequest, later},
		{Connection, OfExport, Trouble, OnRequest,
			"check DFINERY_BASE_URL, the network and HTTPS_PROXY; the day is exported again later"},
		{Timeout, OfExport, Trouble, OnRequest,
			"the day is exported again later; DFINERY_HEADER_TIMEOUT and DFINERY_IDLE_TIMEOUT set how long to wait"},
		{TLS, OfExport, Trouble, OnRequest,
			"check the host's certificate, SSL_CERT_FILE and what the proxy does to TLS"},
		{NotCSV, OfExport, Trouble, OnRequest,
			"a proxy or another server may have answered: check DFINERY_BASE_URL; the day is exported again later"},
		{Redirect, OfExport, Trouble, Never,
			"the token is sent to no other host: set DFINERY_BASE_URL to the API's own address"},

		{TooManyAPIRequests, OfAPI, Throttled, Never, noReset},
		{UnauthorizedToken, OfAPI, Unauthorized, Never, newToken},
		{InvalidParameter, OfAPI, Refused, Never, "check DFINERY_SERVICE_ID and the stream's filters"},
		{BadHeader, OfExport, Refused, Never, "check the stream's _KEY and _PROPERTIES against the columns that the API sends"},
		{BadEncoding, OfExport, Refused, Never, "set DFINERY_CHARSET to the charset that the API really sends"},
		{BadRows, OfExport, Refused, Never, "check the rows in the dead letter; STREAM_X_MAX_BAD sets how many may be bad"},
		{ExceedDateRangeLimit, OfAPI, OutOfReach, Never, "the API exports only the last 30 days"},

		{RegistryUnavailable, OfExport, Postponed, Never, "check SCHEMA_REGISTRY_URL and the registry; the day is exported when it answers"},
		{SchemaIncompatible, OfExport, Refused, Never, "set the subject's compatibility level to BACKWARD, which accepts new columns in every format (FULL does not for JSON Schema), then resume the stream"},
		{SchemaRefused, OfExport, Refused, Never, "check the registry's answer against the stream's columns, then resume the stream"},
		{SchemaUnknown, OfExport, Refused, Never, "register the schema, which preview --json shows, or set SCHEMA_REGISTRY_REGISTER=true, then resume the stream"},
		{RegistryLost, OfExport, Refused, Never, "restore the registry's content; resuming the stream instead accepts new ids, and consumers can't read the values written before"},
		{SchemaChanged, OfExport, Refused, Never, "set the former format or type, or another topic or field name"},
		{NewColumn, OfExport, Refused, Never, "dfinery-kafka contract accept X accepts the columns, and so does resume; STREAM_X_EXCLUDE_PROPERTIES excludes them"},

		{SharedTopic, OfExport, Refused, Never, "give the stream a topic of its own in STREAM_X_TOPIC, then resume the stream"},
		{MisplacedKeys, OfExport, Refused, Never, "give the stream a new topic in STREAM_X_TOPIC: partitions were added to this one, or it was recreated with fewer"},
		{PrivacyColumns, OfExport, Refused, Never, "correct the names in the stream's DROP, HASH and MASK; resume accepts the header as it is, and publishes its new columns in the clear"},
		{PrivacyKey, OfExport, Refused, Never, "mount the former key as PRIVACY_KEY_FILE and restart; resume accepts the new one, and publishes the days in reach again"},

		{FieldCount, OfRow, Trouble, Never, source},
		{BadQuotes, OfRow, Trouble, Never, source},
		{InvalidUTF8, OfRow, Trouble, Never, source},
		{EmptyKey, OfRow, Trouble, Never, source},
		{BadValue, OfRow, Trouble, Never, "correct the column's type in STREAM_X_COLUMNS, or set STREAM_X_BAD_VALUE=null; the row is published at its day's next export"},
		{DuplicateKey, OfRow, Trouble, Never, "have the source corrected: the first row of the key is published"},
		{TooLarge, OfRow, Trouble, Never, "raise max.message.bytes of the topic, then replay the dead letter"},
	}
}

// RuleOf returns the rule of any code. An answer without a known code is classified by its HTTP
// status.
func RuleOf(code Code) Rule {
	rules := Rules()
	if i := slices.IndexFunc(rules, func(r Rule) bool { return r.Code == code }); i >= 0 {
		return rules[i]
	}
	switch code {
	case "http_429":
		return Rule{Code: code, Class: Throttled, Advice: noReset}

	case "http_401", "http_403":
		return Rule{Code: code, Class: Unauthorized, Advice: newToken}

	// These depend on the request, not on the time: repeating it soon does not help.
	case "http_400", "http_404", "http_405", "http_406", "http_410", "http_413", "http_414", "http_415", "http_422", "http_431":
		return Rule{Code: code, Class: Refused, Advice: request}
	}
	rule := Rule{Code: code, Class: Trouble, Advice: later}
	status, err := strconv.Atoi(strings.TrimPrefix(string(code), "http_"))
	if err == nil && status/100 == 5 && code == HTTPStatus(status) {
		rule.Breaker = OnRequest
	}
	return rule
}

// CountedByDefault returns the codes that the breaker counts by default.
func CountedByDefault() []Code {
	var codes []Code
	for _, r := range Rules() {
		if r.Breaker == Always {
			codes = append(codes, r.Code)
		}
	}
	return codes
}

// Effect is the effect of a failure of one class on the service's next calls, except for the
// breaker, which depends on codes. The effect on the stream and the day is decided by the
// pipeline's schedule.
type Effect struct {
	Connection bool    // all streams back off, and one call at a time is made until one succeeds
	Arrived    bool    // the complete body arrived, so the connection works
	Throttle   bool    // no call until the quota's reset
	Token      Verdict // on the token that the call used
}

// Verdict is what an answer says about the token.
type Verdict int

// The verdicts.
const (
	TokenUnjudged Verdict = iota
	TokenAccepted
	TokenRefused
)

// Effect returns the effect of the class.
func (c Class) Effect() Effect {
	switch c {
	case Trouble:
		return Effect{Connection: true}
	case Throttled:
		return Effect{Throttle: true}
	case Unauthorized:
		return Effect{Token: TokenRefused}
	case Truncated: // the body arrived complete by HTTP
		return Effect{Arrived: true, Token: TokenAccepted}
	case Outage, Refused, OutOfReach: // answers that only a good token gets
		return Effect{Token: TokenAccepted}
	}
	return Effect{} // Postponed, Cancelled: neither says anything about the API
}
