package main

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/pipeline"
)

// replaceToken has the API refuse the token, and gives the connector another one.
func (s *demoRun) replaceToken(ctx context.Context) error {
	s.headline("The Export token is refused, then replaced")
	s.line(plain, "   DFINERY issues another token, and the API refuses the old one. The connector makes no more calls with it. It reads")
	s.line(plain, "   the token from a file, as Kubernetes mounts a Secret, and goes on as soon as the file has the new one:")
	s.source.api.SetToken(nextToken)
	refused := func(st *limiter.Status) bool { return st.Token.Refused }
	if _, err := s.connector.awaitSource(ctx, func(st *limiter.Status) bool { return refused(st) && st.Quota.InFlight == 0 }); err != nil {
		return err
	}
	s.line(red, "   The token was refused: all calls wait.")
	if err := s.writeToken(nextToken); err != nil {
		return err
	}
	replaced, err := s.noCallsWhile(ctx, refused)
	if err != nil {
		return err
	}
	_, err = s.connector.await(ctx, func(st pipeline.StreamStatus) bool {
		return st.LastSuccess != nil && st.LastSuccess.After(replaced.Add(-time.Second))
	})
	if err != nil {
		return err
	}
	s.line(green, "   The new token is in the file: exports go on, without a restart.")
	return nil
}

func (s *demoRun) tokenFile() string { return filepath.Join(s.folder, "token") }

// writeToken replaces the token's file atomically: no reader sees half of it.
func (s *demoRun) writeToken(token string) error {
	half := s.tokenFile() + ".new"
	if err := os.WriteFile(half, []byte(token+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(half, s.tokenFile())
}
