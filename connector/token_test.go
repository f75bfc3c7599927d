package connector_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector"
	"dfinery-kafka/schema"
)

var unauthorized = failed(schema.Unauthorized, schema.UnauthorizedToken)

// write gives the token file new content, and its reader the second until it looks again.
func write(t *testing.T, f *connector.TokenFile, content string) {
	t.Helper()
	if err := os.WriteFile(f.Path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	<-time.After(time.Second)
}

func tokenFile(t *testing.T) *connector.TokenFile {
	return &connector.TokenFile{Path: filepath.Join(t.TempDir(), "token")}
}

func TestRefusedTokenIsTriedEveryTenMinutes(t *testing.T) {
	for _, file := range []bool{false, true} {
		t.Run(map[bool]string{false: "constant", true: "file"}[file], func(t *testing.T) {
			path := tokenFile(t)
			synctest.Test(t, func(t *testing.T) {
				var p connector.Policy
				if file {
					p.Token = path
					write(t, path, "one")
				}
				s := open(t, p, nil)
				for range 3 {
					must(t, s, unauthorized)
					want(t, s, schema.WaitToken, 10*time.Minute)
					wanted := connector.TokenStatus{Refused: true, Until: time.Now().Add(10 * time.Minute)}
					if diff := cmp.Diff(wanted, s.Status(time.Now()).Token); diff != "" {
						t.Error(diff)
					}
					<-time.After(10 * time.Minute)
				}
				try := reserve(t, s)
				want(t, s, schema.WaitToken, noEnd)
				try.Cancel()
				must(t, s, failed(schema.Trouble, schema.Connection)) // no word about the token
				<-time.After(2 * time.Second)
				try = reserve(t, s)
				want(t, s, schema.WaitToken, noEnd)
				_ = finish(try, good, schema.Export{})
				want(t, s, "", noEnd)
				if diff := cmp.Diff(connector.TokenStatus{}, s.Status(time.Now()).Token); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestRotatedTokenResumesAtOnce(t *testing.T) {
	file := tokenFile(t)
	synctest.Test(t, func(t *testing.T) {
		write(t, file, "one")
		s := open(t, connector.Policy{Token: file}, nil)
		slow := reserve(t, s)
		must(t, s, unauthorized)
		write(t, file, "one\n")
		want(t, s, schema.WaitToken, 10*time.Minute-time.Second) // the same token
		write(t, file, "two")
		first := reserve(t, s)
		second := reserve(t, s)
		write(t, file, "three")
		_ = finish(slow, unauthorized, schema.Export{})
		want(t, s, schema.WaitToken, 10*time.Minute) // made with three
		write(t, file, "four")
		want(t, s, "", noEnd)
		first.Cancel()
		second.Cancel()
	})
}

func TestAnswerToAReplacedTokenSaysNothing(t *testing.T) {
	for _, c := range []struct {
		name    string
		a       fate
		refused bool // the token in its place
		reason  schema.Reason
		left    time.Duration
	}{
		{"refusal", unauthorized, false, "", noEnd},
		{"acceptance", good, true, schema.WaitToken, 9 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := tokenFile(t)
			synctest.Test(t, func(t *testing.T) {
				write(t, file, "one")
				s := open(t, connector.Policy{Token: file}, nil)
				p := reserve(t, s)
				c.a.takes = time.Minute + time.Second
				ended := make(chan error)
				go func() { ended <- finish(p, c.a, schema.Export{}) }()
				synctest.Wait()
				write(t, file, "two")
				if c.refused {
					must(t, s, unauthorized)
				}
				<-ended
				want(t, s, c.reason, c.left)
			})
		})
	}
}

func TestTokenFile(t *testing.T) {
	type reading struct{ Token, Err string }
	for _, c := range []struct {
		name    string
		content []string // "-": no file
		want    []reading
	}{
		{"white space around", []string{"  s3cret\r\n"}, []reading{{"s3cret", ""}}},
		{"never there", []string{"-"}, []reading{{"", "no such file or directory"}}},
		{"empty", []string{" \n"}, []reading{{"", "the file is empty"}}},
		{"two words", []string{"s3cret s3cret"}, []reading{{"", "there is white space or a control character inside the token"}}},
		{"a control character", []string{"s3c\x00ret"}, []reading{{"", "there is white space or a control character inside the token"}}},
		{"too long", []string{strings.Repeat("x", 64<<10+1)}, []reading{{"", "the file has more than 65536 bytes"}}},
		{"the last good one stays", []string{"one", "", "-", "two"}, []reading{{"one", ""}, {"one", "the file is empty"}, {"one", "no such file or directory"}, {"two", ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := tokenFile(t)
			synctest.Test(t, func(t *testing.T) {
				var got []reading
				for _, content := range c.content {
					if write(t, f, content); content == "-" {
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
						r.Err = err.Error()[strings.LastIndex(err.Error(), ": ")+2:]
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
	f := tokenFile(t)
	synctest.Test(t, func(t *testing.T) {
		write(t, f, "one")
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

func TestNoTokenNoCall(t *testing.T) {
	f := tokenFile(t)
	synctest.Test(t, func(t *testing.T) {
		s := open(t, connector.Policy{Token: f}, nil)
		want(t, s, schema.WaitToken, 10*time.Minute)
		if err := s.Status(time.Now()).Token.FileErr; err == nil || !strings.Contains(err.Error(), f.Path) {
			t.Errorf("status says %v", err)
		}
		write(t, f, "one")
		want(t, s, "", noEnd)
	})
}
