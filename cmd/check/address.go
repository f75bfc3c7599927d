package check

import (
	"context"
	"fmt"
	"net"
	"time"

	"dfinery-kafka/cmd/admin"
)

// adminAddress warns if run could not listen on ADMIN_ADDR. An instance that already runs on
// this machine may use the address.
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
	if at, err := admin.LocalURL(address); err == nil {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		if state, err := admin.Ask(ctx, at, false); err == nil && len(state.Parts) > 0 {
			return
		}
	}
	c.add(Warn, "admin server", fmt.Sprintf("can't listen on ADMIN_ADDR=%s: %v", address, err), "set ADMIN_ADDR to a free address of this machine, or leave it empty for no admin server")
}
