package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// freeAddress returns an address to listen on: the wanted one, or another port if it is
// in use. Empty stays empty: there is no status page.
func freeAddress(ctx context.Context, wanted string) string {
	if wanted == "" {
		return ""
	}
	var config net.ListenConfig
	for _, address := range []string{wanted, "127.0.0.1:0"} {
		if l, err := config.Listen(ctx, "tcp", address); err == nil {
			_ = l.Close() // the admin server listens there from now on
			return l.Addr().String()
		}
	}
	return wanted // the admin server says what is wrong with it
}

// page returns the status page's address; empty without one.
func (s *demoRun) page() string {
	if s.config.Process.AdminAddr == "" {
		return ""
	}
	return "http://" + string(s.config.Process.AdminAddr) + "/"
}

// printCommands prints commands to try while everything keeps running.
func (s *demoRun) printCommands() error {
	file := filepath.Join(s.folder, "demo.env")
	var b strings.Builder
	for _, variable := range assignments(s.environ) {
		if name, _, _ := strings.Cut(variable, "="); name == "ADMIN_ADDR" {
			variable = "ADMIN_ADDR=127.0.0.1:0" // the demo has its own
		}
		b.WriteString("export " + variable + "\n")
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		return err
	}
	s.headline("Still running, until Ctrl-C")
	if page := s.page(); page != "" {
		s.line(plain, "   Open the status page in a browser: %s", page)
	}
	s.line(plain, "   Or use the real program in another terminal, in the folder of the repository:")
	for _, command := range []string{
		"source " + file,
		"go build ./cmd/dfinery-kafka",
		"./dfinery-kafka status                                # how complete each day is",
		"./dfinery-kafka dlq list                              # what went wrong",
		"./dfinery-kafka preview events --rows 3               # what an export would publish",
		"./dfinery-kafka backfill events --from " + (s.source.last - 1).String() + " --yes --wait 1m   # export a day once more",
		"./dfinery-kafka run                                   # take the service over: the demo's connector stands by then",
	} {
		s.line(plain, "     %s", command)
	}
	s.line(plain, "   A foreign client shows the records:")
	s.line(plain, "     kcat -C -b %s -t %s -o beginning -e -f '%%k  %%h\\n%%s\\n'", s.brokers[0], s.config.Streams[0].Topic)
	return nil
}
