package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dfinery-kafka/connector/charset"
	"dfinery-kafka/connector/exportapi"
)

// Charset is the charset of exports; empty: as declared by each answer.
type Charset string

// Decode implements envconfig.Decoder.
func (c *Charset) Decode(value string) error {
	if _, err := charset.Parse(value); err != nil {
		return fmt.Errorf("%w: for example utf-8, euc-kr, cp949, shift_jis, gb18030, big5, utf-16, iso-8859-1", err)
	}
	*c = Charset(value)
	return nil
}

// EmptyDay lists the answers without rows that may mean a day without events; none by default.
type EmptyDay []exportapi.EmptyAnswer

// emptyDayError is the value of DFINERY_EMPTY_DAY for an empty list.
const emptyDayError = "error"

// Decode implements envconfig.Decoder.
func (e *EmptyDay) Decode(value string) error {
	*e = nil
	var list List
	faults := []error{list.Decode(value)}
	for _, item := range list {
		switch answer := exportapi.EmptyAnswer(item); {
		case item == emptyDayError && len(list) == 1:
		case slices.Contains([]exportapi.EmptyAnswer{exportapi.NoContent, exportapi.NotFound, exportapi.Empty}, answer):
			*e = append(*e, answer)
		case item == emptyDayError:
			faults = append(faults, errors.New("error can't be combined with other values"))
		default:
			faults = append(faults, fmt.Errorf("%q is neither error nor one of 204, 404, empty", item))
		}
	}
	if len(list) == 0 {
		faults = append(faults, errors.New("is empty: set error, or a list of 204, 404, empty"))
	}
	return errors.Join(faults...)
}

func (e EmptyDay) String() string {
	if len(e) == 0 {
		return emptyDayError
	}
	return strings.Join(texts(e), ",")
}

// Share is a fraction, 0 to 1.
type Share float64

const off = "off"

// Decode implements envconfig.Decoder.
func (s *Share) Decode(value string) error {
	*s = 1
	if value == off {
		return nil
	}
	number, percent := strings.CutSuffix(value, "%")
	share, err := strconv.ParseFloat(number, 64)
	if err != nil || !percent || !(share >= 0 && share <= 100) {
		return fmt.Errorf("%q is neither a share such as 50%%, 0%% to 100%%, nor off", value)
	}
	*s = Share(share / 100)
	return nil
}

func (s Share) String() string {
	if s >= 1 {
		return off
	}
	return strconv.FormatFloat(100*float64(s), 'f', -1, 64) + "%"
}
