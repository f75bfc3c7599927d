package schema_test

import (
	"bytes"
	"dfinery-kafka/schema"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecret(t *testing.T) {
	const token = "s3cret/T0ken+with=\"odd\" & <letters>"
	secret := schema.Secret(token)
	inside := struct {
		S schema.Secret
		P *schema.Secret
		M map[string]schema.Secret
	}{secret, &secret, map[string]schema.Secret{"key": secret}}
	asJSON, err := json.Marshal(inside)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", secret, "inside", inside)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", secret, "inside", inside)
	texts := []string{string(asJSON), log.String(), secret.String(), errors.New(fmt.Sprint(secret)).Error()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "% x"} {
		texts = append(texts, fmt.Sprintf(verb, secret), fmt.Sprintf(verb, inside), fmt.Sprintf(verb, &inside))
	}
	for _, text := range texts {
		if strings.Contains(strings.ToLower(text), "t0ken") || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", "T0ken")) {
			t.Errorf("%s has the secret", text)
		}
	}
	if secret.Reveal() != token {
		t.Error("Reveal returns another text")
	}
}
