package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// version is the newest record version that this release reads. A record without "v" has version 1.
const version = 1

// unknown preserves the members of a record that this release does not know, so that rewriting
// the record does not drop them.
type unknown struct{ members map[string]json.RawMessage }

func (u *unknown) keep(members map[string]json.RawMessage) { u.members = members }
func (u unknown) kept() map[string]json.RawMessage         { return u.members }

// Record is any of the record types, all of which embed unknown.
type Record interface {
	keep(map[string]json.RawMessage)
	kept() map[string]json.RawMessage
}

// decode decodes a record's value into one of the record types.
func decode(value []byte, into Record) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(value, &members); err != nil {
		return fmt.Errorf("not a JSON object: %w", err)
	}
	if members == nil {
		return errors.New("not a JSON object: null")
	}
	if raw, ok := members["v"]; ok {
		var v int
		if err := json.Unmarshal(raw, &v); err != nil || v > version {
			return fmt.Errorf("written in version %s by a newer release, this one reads up to version %d: run the newer release", raw, version)
		}
		delete(members, "v")
	}
	if err := json.Unmarshal(value, into); err != nil {
		return err
	}
	t := reflect.TypeOf(into).Elem()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		delete(members, name)
	}
	if len(members) > 0 {
		into.keep(members)
	}
	return nil
}

// Encode encodes a record's value, with unknown members after the known ones.
func Encode(record Record) ([]byte, error) {
	value, err := json.Marshal(record)
	if err != nil || len(record.kept()) == 0 {
		return value, err
	}
	rest, err := json.Marshal(record.kept())
	if err != nil {
		return nil, err
	}
	value = bytes.TrimSuffix(value, []byte("}"))
	if len(value) > 1 {
		value = append(value, ',')
	}
	return append(value, rest[1:]...), nil
}
