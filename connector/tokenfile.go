package connector

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	// lookEvery bounds how often a token file is read.
	lookEvery = time.Second
	// maxToken bounds a token file, in bytes.
	maxToken = 64 << 10
)

// TokenFile is an export token kept in a file, which may be replaced at any time. Only Path has to be set. Safe for concurrent use.
type TokenFile struct {
	Path string

	mu     sync.Mutex
	token  Secret
	err    error
	looked time.Time
}

// Secret is the file's content without surrounding white space, read again at most once a second.
// While the file can't be read or holds no token, it is the last good one; the error is of a file that never held one.
func (f *TokenFile) Secret() (Secret, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.look()
	if f.token == "" {
		return "", f.err
	}
	return f.token, nil
}

// Err is what was wrong with the file when it was last read: nil when it gave a token.
func (f *TokenFile) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *TokenFile) look() {
	now := time.Now()
	if !f.looked.IsZero() && now.Sub(f.looked) < lookEvery {
		return
	}
	f.looked = now
	token, err := readToken(f.Path)
	f.err = err
	if err == nil {
		f.token = token
	}
}

// readToken never quotes what it read.
func readToken(path string) (Secret, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, maxToken+1))
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	if err := oneWord(bytes.TrimSpace(content)); err != nil {
		return "", fmt.Errorf("read token %s: %w", path, err)
	}
	return Secret(bytes.TrimSpace(content)), nil
}

func oneWord(token []byte) error {
	switch {
	case len(token) == 0:
		return errors.New("the file is empty")
	case len(token) > maxToken:
		return fmt.Errorf("the file has more than %d bytes", maxToken)
	}
	for _, c := range token {
		if c <= ' ' || c == 0x7f {
			return errors.New("there is white space or a control character inside the token")
		}
	}
	return nil
}
