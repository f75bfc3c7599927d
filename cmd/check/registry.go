package check

import (
	"context"
	"errors"
	"strings"

	"dfinery-kafka/cmd/app"
	"dfinery-kafka/schema/registry"
)

// registry makes a cheap request to the schema registry, if a stream needs it.
func (c *Check) registry(ctx context.Context) {
	var streams []string
	for i := range c.Config.Streams {
		if s := &c.Config.Streams[i]; s.Format.Registered() {
			streams = append(streams, s.Name)
		}
	}
	if len(streams) == 0 {
		return
	}
	client, err := app.NewRegistry(&c.Config.Registry, c.Service.Version)
	if err == nil {
		defer client.Close()
		err = client.Ping(ctx)
	}
	urls := strings.Join(c.Config.Registry.URLs, ", ")
	if err == nil {
		c.add(OK, "schema registry", urls+" answers")
		return
	}
	remedy := "check SCHEMA_REGISTRY_URL and the network; until it answers these streams wait: " + strings.Join(streams, ", ")
	if failed, ok := errors.AsType[*registry.Error](err); ok && (failed.Status == 401 || failed.Status == 403) {
		remedy = "check SCHEMA_REGISTRY_USERNAME and _PASSWORD, or _TOKEN; until then these streams wait: " + strings.Join(streams, ", ")
	}
	c.add(Fail, "schema registry", err.Error(), remedy)
}
