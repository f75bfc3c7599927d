package exportapi

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"dfinery-kafka/connector/csv"
	"dfinery-kafka/schema"
)

// apiFailure is what the API answers instead of rows.
type apiFailure struct{ Result, Message string }

// parseFailure reads a JSON object that has a result or a message, whatever else and in whatever form; behind is what follows it.
func parseFailure(body []byte) (f apiFailure, behind []byte, ok bool) {
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

// failureWithin finds a failure's JSON that begins among the first scanned bytes of rest and is its end, if that is also the body's.
func failureWithin(rest []byte, scanned int) (apiFailure, []byte) {
	rest = bytes.TrimRight(rest, " \t\r\n")
	for at := max(0, len(rest)-csv.MaxTail); at < min(scanned, len(rest)); at++ {
		if rest[at] != '{' || !bytes.HasPrefix(bytes.TrimLeft(rest[at+1:], " \t\r\n"), []byte{'"'}) {
			continue
		}
		if f, behind, ok := parseFailure(rest[at:]); ok && f.Result == "fail" && len(behind) == 0 {
			return f, slices.Clone(rest[at:])
		}
	}
	return apiFailure{}, nil
}

// knownToAPI says that the message of an answer is one of the API's codes.
func knownToAPI(message string) bool {
	return schema.RuleOf(schema.Code(message)).Scope == schema.OfAPI
}
