package main_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	demo "dfinery-kafka/cmd/demo"
	"dfinery-kafka/schema"
)

// TestSimulator: it answers a call for yesterday with a CSV, says where and for which token, and ends with its context.
func TestSimulator(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	said, say := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- demo.Simulator{Addr: "127.0.0.1:0", Rows: 100, Out: say}.Run(ctx) }()
	line := make([]byte, 200)
	n, err := said.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(strings.ReplaceAll(string(line[:n]), ",", " "))
	url, token := words[6], words[8]
	yesterday := (schema.DayOf(time.Now(), time.FixedZone("Asia/Seoul", 9*3600)) - 1).String()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/v1/export/event?service_id=1234",
		strings.NewReader(`{"events_condition_type":"all","from_date":"`+yesterday+`","to_date":"`+yesterday+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 || !strings.HasPrefix(string(body), "df_unified_id,") {
		t.Errorf("%v, %s: %.200s", err, answer.Status, body)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
