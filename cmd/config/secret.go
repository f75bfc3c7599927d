package config

import (
	"dfinery-kafka/schema"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// redacted stands for a secret in the listing.
const redacted = "(secret)"

const maxSecret = 64 << 10

// readSecret reads a secret's file, without the white space around the secret.
func readSecret(path string) (schema.Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(text))
	switch {
	case len(text) > maxSecret:
		return "", fmt.Errorf("%s is too large for a secret", path)
	case secret == "":
		return "", fmt.Errorf("%s is empty", path)
	}
	return schema.Secret(secret), nil
}

// secret settles the pair of a plain variable and its _FILE, which must not both be set. White space around a secret is no
// part of it: files and Kubernetes secrets often end with a line end that nobody meant.
func (l *loader) secret(name string, plain *schema.Secret, file string) {
	*plain = schema.Secret(strings.TrimSpace(string(*plain)))
	if file == "" {
		return
	}
	if *plain != "" {
		l.fault(name+"_FILE", "is set beside "+name+": keep one of them")
		return
	}
	secret, err := readSecret(file)
	if err != nil {
		l.fault(name+"_FILE", "names a file that can't be used: "+reason(err))
		return
	}
	*plain = secret
	l.came(name, name+"_FILE")
}

// reason drops the operation's name, which says nothing to whoever sets the variable.
func reason(err error) string {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Path + ": " + path.Err.Error()
	}
	return err.Error()
}
