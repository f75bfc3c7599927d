package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/privacy"
)

// Privacy is the key for hidden columns. The lists of columns belong to the streams.
type Privacy struct {
	KeyFile string      `envconfig:"PRIVACY_KEY_FILE" example:"/run/secrets/privacy-key" desc:"A file with the key for hashed cells, at least 32 bytes; required with STREAM_X_DROP, _HASH or _MASK. Another key results in other hashes: see schema/README.md before changing it"`
	Key     privacy.Key `ignored:"true"`
}

// DeadLetterRaw decides what dead letters show of rows and answers; empty: as Of says.
type DeadLetterRaw string

// The values of DEAD_LETTER_RAW.
const (
	RawFull     DeadLetterRaw = "full"
	RawRedacted DeadLetterRaw = "redacted"
	RawNone     DeadLetterRaw = "none"
)

// Of returns the value for a stream: by default redacted if it hides columns, else full.
func (d DeadLetterRaw) Of(s *Stream) DeadLetterRaw {
	lists := s.Hidden()
	switch {
	case d != "":
		return d
	case lists.Empty():
		return RawFull
	}
	return RawRedacted
}

// Hidden returns the columns that the stream hides.
func (s *Stream) Hidden() privacy.Lists {
	return privacy.Lists{Drop: s.Drop, Hash: s.Hash, Mask: s.Mask}
}

// personal returns the standard columns that identify or describe a person.
func personal() []string { return []string{"df_name", "df_birth", "df_gender", "df_external_id"} }

// checkPrivacy checks the lists of all streams, and reads the key.
func (l *loader) checkPrivacy(c *Config) {
	const keyFile, raw = "PRIVACY_KEY_FILE", "DEAD_LETTER_RAW"
	needs := ""
	for i := range c.Streams {
		s := &c.Streams[i]
		if set := l.checkLists(s); needs == "" {
			needs = set
		}
	}
	switch {
	case !l.calls: // nor hides
	case c.Privacy.KeyFile != "":
		key, err := readKey(c.Privacy.KeyFile)
		if err != nil {
			l.unusable(keyFile, err)
		} else if c.Privacy.Key = key; needs == "" {
			l.warn(keyFile, "has no effect: no stream has DROP, HASH or MASK")
		}
	case needs != "":
		l.fault(keyFile, "is required: "+needs+" is set; openssl rand -base64 48 > FILE generates a key")
	}
	if c.Publish.DeadLetterRaw == RawFull && needs != "" {
		l.warn(raw, "is full: the dead letters of rows and exports contain cells that "+needs+" hides")
	}
}

// readKey reads the key: any bytes without one trailing line end. Text that was saved again in
// another charset would silently result in other hashes.
func readKey(path string) (privacy.Key, error) {
	text, err := readBounded(path)
	if err != nil {
		return privacy.Key{}, err
	}
	text, ended := strings.CutSuffix(text, "\n")
	if ended {
		text = strings.TrimSuffix(text, "\r")
	}
	fault := ""
	if utf8.ValidString(text) && strings.HasPrefix(text, "\ufeff") || 3*strings.Count(text, "\x00") > len(text) {
		fault = wrongSecret(text)
	}
	if fault != "" {
		return privacy.Key{}, fmt.Errorf("%s %s", path, fault)
	}
	key, err := privacy.NewKey([]byte(text))
	if err != nil {
		return privacy.Key{}, fmt.Errorf("%s %w", path, err)
	}
	return key, nil
}

// checkLists checks that each column is in one list only, and returns a variable that is set.
func (l *loader) checkLists(s *Stream) (set string) {
	prefix := streamPrefix(s.Name)
	in := map[string]string{} // the variable that names a column
	for _, list := range []struct {
		variable string
		columns  List
		keeps    bool // what identifies a row
	}{{prefix + "DROP", s.Drop, false}, {prefix + "HASH", s.Hash, true}, {prefix + "MASK", s.Mask, false}} {
		for _, column := range list.columns {
			if set == "" {
				set = list.variable
			}
			switch other := in[column]; {
			case other != "":
				l.fault(list.variable, fmt.Sprintf("names %q, which %s names, too: keep only one of them", column, other))
			case column == "event_name":
				l.fault(list.variable, `names "event_name", which requests, slices of days and the ledger contain: it can't be hidden`)
			case slices.Contains(s.Key.columns(), column) && !list.keeps:
				l.fault(list.variable, fmt.Sprintf("names %q, which is the stream's key: only %sHASH can hide it", column, prefix))
			}
			in[column] = list.variable
			if s.excludes(column) {
				l.warn(list.variable, fmt.Sprintf("names %q, which the stream's properties exclude: the stream is halted until its first header without that column is accepted", column))
			}
		}
	}
	for _, column := range s.Headers {
		if slices.Contains(s.Drop, column) {
			l.warn(prefix+"HEADERS", fmt.Sprintf("names %q, which %sDROP drops: no record has that header", column, prefix))
		}
	}
	return set
}

// excludes reports whether the request excludes the column. Key and system columns are always
// exported.
func (s *Stream) excludes(column string) bool {
	system := []string{"event_name", "df_api_version", "df_server_datetime", "df_correction_datetime"}
	if column == "df_unified_id" || s.Export == schema.Event && slices.Contains(system, column) {
		return false
	}
	return s.Properties != nil && !slices.Contains(s.Properties, column) || slices.Contains(s.ExcludeProperties, column)
}

// WarnOfPersonal adds warnings that name the personal standard columns which are published in
// the clear. For events it warns only if the stream requests such columns, or hides others;
// profile exports always have them.
func (r *Report) WarnOfPersonal(c *Config) {
	hides := slices.ContainsFunc(c.Streams, func(s Stream) bool {
		lists := s.Hidden()
		return !lists.Empty()
	})
	for i := range c.Streams {
		if message := personalInTheClear(&c.Streams[i], hides); message != "" {
			r.Warnings = append(r.Warnings, Finding{streamPrefix(c.Streams[i].Name) + "HASH", message})
		}
	}
}

func personalInTheClear(s *Stream, hides bool) string {
	prefix := streamPrefix(s.Name)
	lists := s.Hidden()
	var exposed []string
	for _, column := range personal() {
		likely := s.Export == schema.UserProfile || slices.Contains(s.Properties, column) || hides && column == "df_external_id"
		if likely && !s.excludes(column) && !slices.Contains(lists.All(), column) {
			exposed = append(exposed, column)
		}
	}
	if len(exposed) == 0 {
		return ""
	}
	return fmt.Sprintf("personal columns are published in the clear: %s. If they must not be in Kafka, leave them out by %sEXCLUDE_PROPERTIES, or name them in %sDROP, HASH or MASK",
		strings.Join(exposed, ", "), prefix, prefix)
}
