package connector

import (
	"net/http"

	"dfinery-kafka/schema"
)

// classify says what follows from a failure. That is decided only here, except that a cancelled call is recognised before (see call.fail).
func classify(code schema.Code) schema.Class {
	switch code {
	case schema.UnknownError, schema.QueryError:
		return schema.Outage

	case schema.ClientConnectionClosed, schema.CutBody, schema.MaybeTorn, schema.Connection, schema.TLS, schema.Timeout,
		schema.NotCSV, schema.EmptyBody, schema.Redirect:
		return schema.Trouble

	case schema.TooManyAPIRequests, schema.HTTPStatus(http.StatusTooManyRequests):
		return schema.Throttled

	case schema.UnauthorizedToken, schema.HTTPStatus(http.StatusUnauthorized), schema.HTTPStatus(http.StatusForbidden):
		return schema.Unauthorized

	case schema.InvalidParameter, schema.BadHeader:
		return schema.Refused

	// Answers without a known code that are about what was asked, not about when: asking the same again soon can't help.
	case schema.HTTPStatus(http.StatusBadRequest), schema.HTTPStatus(http.StatusNotFound), schema.HTTPStatus(http.StatusMethodNotAllowed),
		schema.HTTPStatus(http.StatusNotAcceptable), schema.HTTPStatus(http.StatusGone), schema.HTTPStatus(http.StatusRequestEntityTooLarge),
		schema.HTTPStatus(http.StatusRequestURITooLong), schema.HTTPStatus(http.StatusUnsupportedMediaType),
		schema.HTTPStatus(http.StatusUnprocessableEntity), schema.HTTPStatus(http.StatusRequestHeaderFieldsTooLarge):
		return schema.Refused

	case schema.ExceedDateRangeLimit:
		return schema.OutOfReach
	}
	return schema.Trouble // any other status
}

// known says whether the message of an answer is one of the API's codes.
func known(message string) bool {
	switch schema.Code(message) {
	case schema.ClientConnectionClosed, schema.InvalidParameter, schema.ExceedDateRangeLimit, schema.UnauthorizedToken,
		schema.TooManyAPIRequests, schema.UnknownError, schema.QueryError:
		return true
	}
	return false
}

// advice says what is done about a failure, or what there is to do.
func advice(code schema.Code) string {
	switch code {
	case schema.ClientConnectionClosed:
		return "the API closed the connection, which its clients or a proxy between may have caused; the day is exported again later"
	case schema.BadHeader:
		return "compare the stream's _KEY and _PROPERTIES with the columns that the API sends"
	case schema.Redirect:
		return "the token goes to no other host: set DFINERY_BASE_URL to the API's own address"
	case schema.TLS:
		return "check the host's certificate, SSL_CERT_FILE and what the proxy does to TLS"
	case schema.Connection:
		return "check DFINERY_BASE_URL, the network and HTTPS_PROXY; the day is exported again later"
	case schema.Timeout:
		return "the day is exported again later; DFINERY_HEADER_TIMEOUT and DFINERY_IDLE_TIMEOUT set how long to wait"
	case schema.NotCSV:
		return "a proxy or another server may have answered: check DFINERY_BASE_URL; the day is exported again later"
	case schema.ExceedDateRangeLimit:
		return "the API exports the last 30 days alone"
	case schema.InvalidParameter:
		return "check DFINERY_SERVICE_ID and the stream's filters"
	}
	switch classify(code) {
	case schema.Throttled:
		return "no call is made until the quota's reset"
	case schema.Unauthorized:
		return "set another DFINERY_EXPORT_TOKEN, or write it to DFINERY_EXPORT_TOKEN_FILE"
	case schema.Refused:
		return "check DFINERY_BASE_URL, DFINERY_SERVICE_ID and the stream's filters"
	}
	return "the day is exported again later"
}
