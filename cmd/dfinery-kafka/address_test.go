package main

import "testing"

// TestInstance: the address of an admin server is a URL, or a host and port.
func TestInstance(t *testing.T) {
	for text, want := range map[string]string{
		"http://dfinery-kafka:8080/": "http://dfinery-kafka:8080", "https://dfinery.example": "https://dfinery.example", "[::1]:8080": "http://[::1]:8080",
		"localhost:8080": "http://localhost:8080", "localhost": "", "http://": "", "ftp://a:1": "", "http://a b": "", "": "",
	} {
		if got, err := instance(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q, %v; want %q", text, got, err, want)
		}
	}
}
