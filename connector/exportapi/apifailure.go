package exportapi

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"dfinery-kafka/connector/csv"
	"dfinery-kafka/schema"
)

// apiFailure is the JSON that the API returns instead of rows.
type apiFailure struct{ Result, Message string }

// parseFailure parses a JSON object with a result or a message, whatever its other members.
// after is what follows it.
func parseFailure(body []byte) (f apiFailure, after []byte, ok bool) {
	body = bytes.TrimPrefix(body, []byte(bom))
	decoder := json.NewDecoder(bytes.NewReader(body))
	var members struct{ Result, Message any }
	if decoder.Decode(&members) != nil {
		return f, nil, false
	}
	f.Result, _ = members.Result.(string)
	f.Message, _ = members.Message.(string)
	f.Message = strings.TrimSpace(f.Message)
	return f, body[decoder.InputOffset():], f.Result == "fail" || knownToAPI(f.Message)
}

// failureWithin finds the JSON of a failure that starts within the first scanned bytes of rest
// and ends with rest and the body.
func failureWithin(rest []byte, scanned int) (apiFailure, []byte) {
	rest = bytes.TrimRight(rest, " \t\r\n")
	for at := max(0, len(rest)-csv.MaxTail); at < min(scanned, len(rest)); at++ {
		if rest[at] != '{' || !bytes.HasPrefix(bytes.TrimLeft(rest[at+1:], " \t\r\n"), []byte{'"'}) {
			continue
		}
		if f, after, ok := parseFailure(rest[at:]); ok && f.Result == "fail" && len(after) == 0 {
			return f, slices.Clone(rest[at:])
		}
	}
	return apiFailure{}, nil
}

// knownToAPI reports whether the message is one of the API's documented codes.
func knownToAPI(message string) bool {
	return schema.RuleOf(schema.Code(message)).Scope == schema.OfAPI
}
