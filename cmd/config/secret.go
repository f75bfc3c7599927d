package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"dfinery-kafka/schema"
)

// redacted replaces a secret in the listing.
const redacted = "(secret)"

const maxSecret = 64 << 10

// ReadSecret reads the single line of a secret's file. Only the line end is not part of the
// secret. Its errors never quote the file.
func ReadSecret(path string) (schema.Secret, error) {
	text, err := readBounded(path)
	if err != nil {
		return "", err
	}
	secret := oneLine(text)
	if fault := wrongSecret(secret); fault != "" {
		return "", fmt.Errorf("%s %s", path, fault)
	}
	return schema.Secret(secret), nil
}

// readBounded reads a file that contains a secret.
func readBounded(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", err
	}
	if len(text) > maxSecret {
		return "", fmt.Errorf("%s is too large for a secret", path)
	}
	return string(text), nil
}

// oneLine removes one line end, LF or CRLF, which files and Kubernetes secrets often have.
func oneLine(text string) string {
	text = strings.TrimSuffix(text, "\n")
	return strings.TrimSuffix(text, "\r")
}

// wrongSecret returns why text can't be a secret; empty if it can.
func wrongSecret(text string) string {
	switch {
	case strings.HasPrefix(text, "\xff\xfe"), strings.HasPrefix(text, "\xfe\xff"), strings.Contains(text, "\x00"):
		return "is in UTF-16 or contains a NUL character: save it as UTF-8 without a byte order mark"
	case strings.HasPrefix(text, "\ufeff"):
		return "starts with a byte order mark: save it as UTF-8 without one"
	case !utf8.ValidString(text):
		return "is not UTF-8: save it as UTF-8 without a byte order mark"
	case strings.TrimSpace(text) == "":
		return "is empty"
	case strings.ContainsAny(strings.TrimSpace(text), "\r\n"):
		return "has several lines: a secret is one line"
	}
	return ""
}

// secret reads a secret from its variable or from the file named by name_FILE, but not both,
// and returns the variable used.
func (l *loader) secret(name string, plain *schema.Secret, file string) (from string) {
	*plain = schema.Secret(oneLine(plain.Reveal()))
	if strings.TrimSpace(plain.Reveal()) == "" {
		*plain = ""
	}
	if file == "" {
		if fault := wrongSecret(plain.Reveal()); *plain != "" && fault != "" {
			l.fault(name, fault)
		}
		return name
	}
	if *plain != "" {
		l.fault(name+"_FILE", "is set together with "+name+": keep only one of them")
		return name + "_FILE"
	}
	secret, err := ReadSecret(file)
	if err != nil {
		l.unusable(name+"_FILE", err)
		return name + "_FILE"
	}
	*plain = secret
	l.came(name, name+"_FILE")
	return name + "_FILE"
}

// The warning and advice for a login that succeeds only with the secret as sent by releases
// before 0.2.
const (
	LegacyLogin       = "the login was refused with the secret as it is, and accepted as earlier releases sent it: without surrounding white space, normalized by SASLprep"
	LegacyLoginRemedy = "remove the white space around the secret in " + passwordVar + " or " + secretVar + ", or in its file, or write it as the broker stores it: a later release will not try the other form"
)

// quotable reads a secret that may legitimately be wrapped in quotes: they cause a warning.
func (l *loader) quotable(name string, plain *schema.Secret, file string) (from string) {
	if from = l.secret(name, plain, file); l.good(from) && wrapped(plain.Reveal()) {
		l.warn(from, wrappedWarn)
	}
	return from
}

// password reads such a secret for Kafka, from which earlier releases removed surrounding white
// space.
func (l *loader) password(name string, plain *schema.Secret, file string) {
	from := l.quotable(name, plain, file)
	if text := plain.Reveal(); l.good(from) && strings.TrimSpace(text) != text {
		l.warn(from, "has white space around the secret, which is sent as part of it. If the login is refused, this release retries without it: remove the white space if it is not intended")
	}
}

// reason removes the operation's name from the error, which does not help the user.
func reason(err error) string {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Path + ": " + path.Err.Error()
	}
	return err.Error()
}
