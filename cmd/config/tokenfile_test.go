package config_test

import (
	"dfinery-kafka/cmd/config"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// writeToken writes new contents, and waits for the second until the file is read again.
func writeToken(t *testing.T, f *config.TokenFile, content string) {
	t.Helper()
	if err := os.WriteFile(f.Path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	<-time.After(time.Second)
}

func TestTokenFile(t *testing.T) {
	type reading struct{ Token, Err string }
	for _, c := range []struct {
		name    string
		content []string // "-": no file
		want    []reading
	}{
		{"white space around", []string{"  s3cret\r\n"}, []reading{{"s3cret", ""}}},
		{"never there", []string{"-"}, []reading{{"", "read token: open FILE: no such file or directory"}}},
		{"empty", []string{" \n"}, []reading{{"", "read token: FILE is empty"}}},
		{"two words", []string{"s3cret s3cret"}, []reading{{"", "read token: FILE has a character inside the token that is invalid in an HTTP header, such as a blank or a letter that is not ASCII"}}},
		{"a control character", []string{"s3c\x00ret"}, []reading{{"", "read token: FILE is in UTF-16 or contains a NUL character: save it as UTF-8 without a byte order mark"}}},
		{"CRLF", []string{"s3cret\r\n"}, []reading{{"s3cret", ""}}},
		{"a byte order mark, later", []string{"s3cret", "\ufeffs3cret2"}, []reading{{"s3cret", ""}, {"s3cret", "read token: FILE starts with a byte order mark: save it as UTF-8 without one"}}},
		{"UTF-16, later", []string{"s3cret", "\xfe\xff\x00s\x003"}, []reading{{"s3cret", ""}, {"s3cret", "read token: FILE is in UTF-16 or contains a NUL character: save it as UTF-8 without a byte order mark"}}},
		{"several lines, later", []string{"s3cret", "s3cret\ns3cret\n"}, []reading{{"s3cret", ""}, {"s3cret", "read token: FILE has several lines: a secret is one line"}}},
		{"quotes, later", []string{"s3cret", "'s3cret'\n"}, []reading{{"s3cret", ""}, {"s3cret", "read token: FILE has the token in quotes: remove them"}}},
		{"too long", []string{strings.Repeat("x", 64<<10+1)}, []reading{{"", "read token: FILE is too large for a secret"}}},
		{"the last good one stays", []string{"one", "", "-", "two"}, []reading{{"one", ""}, {"one", "read token: FILE is empty"}, {"one", "read token: open FILE: no such file or directory"}, {"two", ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &config.TokenFile{Path: filepath.Join(t.TempDir(), "token")}
			synctest.Test(t, func(t *testing.T) {
				var got []reading
				for _, content := range c.content {
					if writeToken(t, f, content); content == "-" {
						if err := os.Remove(f.Path); err != nil {
							t.Fatal(err)
						}
					}
					token, missing := f.Secret()
					err := f.Err()
					if (token == "") != (missing != nil) {
						t.Errorf("token and error: %v", missing)
					}
					r := reading{Token: token.Reveal()}
					if err != nil {
						r.Err = strings.ReplaceAll(err.Error(), f.Path, "FILE")
						if strings.Contains(err.Error(), "s3c") {
							t.Errorf("the error quotes the file: %v", err)
						}
					}
					got = append(got, r)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestTokenFileIsReadOnceASecond(t *testing.T) {
	f := &config.TokenFile{Path: filepath.Join(t.TempDir(), "token")}
	synctest.Test(t, func(t *testing.T) {
		writeToken(t, f, "one")
		_, _ = f.Secret()
		if err := os.WriteFile(f.Path, []byte("two"), 0o600); err != nil {
			t.Fatal(err)
		}
		var got []string
		for range 2 {
			token, _ := f.Secret()
			got = append(got, token.Reveal())
			<-time.After(time.Second)
		}
		if diff := cmp.Diff([]string{"one", "two"}, got); diff != "" {
			t.Error(diff)
		}
	})
}
