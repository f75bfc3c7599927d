package check

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// adminAddress warns when run could not listen on ADMIN_ADDR. Beside a running instance its address is that instance's.
func (c *Check) adminAddress(ctx context.Context) {
	address := string(c.Config.Process.AdminAddr)
	if address == "" {
		return
	}
	listener, err := net.Listen("tcp", address)
	if err == nil {
		_ = listener.Close()
		return
	}
	if instanceAt(ctx, address) {
		return
	}
	c.add(Warn, "admin server", fmt.Sprintf("ADMIN_ADDR=%s can't be listened on: %v", address, err), "set ADMIN_ADDR to a free address of this machine, or to nothing for no admin server")
}

// instanceAt says whether an instance of the connector answers at an address.
func instanceAt(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request) // no proxy: it is this machine
	if err != nil {
		return false
	}
	defer response.Body.Close()
	var state struct{ Parts []struct{ Name string } }
	return json.NewDecoder(io.LimitReader(response.Body, 64<<10)).Decode(&state) == nil && len(state.Parts) > 0
}
