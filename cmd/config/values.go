package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dfinery-kafka/schema"
)

// List is a comma-separated list of distinct items, trimmed, without empty ones.
type List []string

// Decode implements envconfig.Decoder. Every item that occurs more than once is an error; the
// list has it once.
func (l *List) Decode(value string) error {
	*l = nil
	var twice []string
	for item := range strings.SplitSeq(value, ",") {
		item = strings.TrimSpace(item)
		switch {
		case item == "" || slices.Contains(twice, item):
		case slices.Contains(*l, item):
			twice = append(twice, item)
		default:
			*l = append(*l, item)
		}
	}
	var faults []error
	for _, item := range twice {
		faults = append(faults, fmt.Errorf("names %q twice", item))
	}
	for _, item := range *l {
		if wrapped(item) {
			faults = append(faults, fmt.Errorf("names %s in quotes, which are part of the name: remove them", item))
		}
	}
	return errors.Join(faults...)
}

// Key names the columns of a record's key, comma-separated.
type Key string

// Decode implements envconfig.Decoder.
func (k *Key) Decode(value string) error {
	var list List
	err := list.Decode(value)
	if len(list) == 0 {
		err = errors.Join(err, errors.New("names no column: set, for example, df_unified_id"))
	}
	*k = Key(strings.Join(list, ","))
	return err
}

// columns are the columns' names.
func (k Key) columns() []string { return schema.Key(k).Columns() }

// isStreamName reports whether a name is lower-case letters and digits, a letter first.
func isStreamName(name string) bool {
	return strings.Trim(name, lower+digits) == "" && strings.IndexAny(name, lower) == 0
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// Names are the streams' names: at least one, each of lower-case letters and digits.
type Names []string

// Decode implements envconfig.Decoder. Even with an error, it sets the names that are valid, or
// would be in lower case, so that the variables of their streams can be checked as well.
func (n *Names) Decode(value string) error {
	*n = nil
	var list List
	faults := []error{list.Decode(value)}
	for _, name := range list {
		if !isStreamName(name) {
			faults = append(faults, fmt.Errorf("%q can't name a stream: lower-case letters and digits, a letter first, such as events", name))
		}
		if lower := strings.ToLower(name); isStreamName(lower) && !slices.Contains(*n, lower) {
			*n = append(*n, lower)
		}
	}
	if len(list) == 0 {
		return errors.New("names no stream: for example events")
	}
	return errors.Join(faults...)
}

// Service is the id of a DFINERY service. It is part of record keys such as SERVICE/STREAM/DAY.
type Service string

// Decode implements envconfig.Decoder.
func (s *Service) Decode(value string) error {
	for _, c := range value {
		if c <= ' ' || c > '~' || c == '/' {
			return errors.New("can't be a service id: one word of ASCII without a slash")
		}
	}
	*s = Service(value)
	return nil
}

// Zone is a time zone. Its Location is not nil after decoding.
type Zone struct{ *time.Location }

// Decode implements envconfig.Decoder.
func (z *Zone) Decode(value string) error {
	location, err := time.LoadLocation(value)
	if err != nil || value == "Local" {
		return fmt.Errorf("%q is not the IANA name of a time zone, such as Asia/Seoul or UTC", value)
	}
	z.Location = location
	return nil
}

// Start is the first day that a stream exports: a date if On is set, else a number of days
// before today.
type Start struct {
	Back int
	On   *schema.Day
}

// Decode implements envconfig.Decoder.
func (s *Start) Decode(value string) error {
	back, err := strconv.Atoi(value)
	if err == nil && back >= 0 && back <= schema.Reach {
		*s = Start{Back: back}
		return nil
	}
	day, err := schema.ParseDay(value)
	if err != nil {
		return fmt.Errorf("%q is not 0 (today alone) to %d days before today, nor a date such as 2026-11-23", value, schema.Reach)
	}
	*s = Start{On: &day}
	return nil
}

func (s Start) String() string {
	if s.On != nil {
		return s.On.String()
	}
	return strconv.Itoa(s.Back)
}

// Topic is a valid topic name: see org.apache.kafka.common.internals.Topic.
type Topic string

// Decode implements envconfig.Decoder.
func (t *Topic) Decode(value string) error {
	const longest = 249
	if value == "" || len(value) > longest || strings.Trim(value, lower+upper+digits+"._-") != "" || value == "." || value == ".." {
		return fmt.Errorf("%q can't name a topic: up to 249 letters, digits, dots, dashes and underscores", value)
	}
	*t = Topic(value)
	return nil
}
