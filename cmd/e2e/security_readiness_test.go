package e2e

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// TestRights_Readiness revokes the right to write to a topic that every stream needs, while
// nothing is written to it: within a heartbeat /readyz names the topic, and after the right is
// granted again the service is ready.
func TestRights_Readiness(t *testing.T) {
	t.Parallel()
	b := newACLTestbed(t)
	const user = "connector"
	b.administer(func(ctx context.Context, c *kadm.Client) error {
		altered, err := c.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{{User: user, Mechanism: kadm.ScramSha256, Iterations: 4096, Password: "its-secret"}})
		return errors.Join(err, altered.Error())
	})
	b.login(user, "its-secret")
	b.set("KAFKA_SASL_MECHANISM", "SCRAM-SHA-256", "OWNER_HEARTBEAT", "1s", "STANDBY_AFTER", "5s")
	b.grantMissing()
	b.withAdminServer()
	b.pollEvery("1h")
	p := b.start("run")
	c := p.admin()
	c.await("ready", func() bool { return len(c.notReady()) == 0 })
	b.await("the days are exported", func() bool { return p.count(`"msg":"export ended"`) == 3 })
	for _, topic := range []string{"letters", "ledger.rows"} {
		write := func() *kadm.ACLBuilder { return kadm.NewACLs().Topics(topic).Operations(kadm.OpWrite) }
		b.revoke(write())
		began := time.Now()
		c.await("not ready without the right to write "+topic, func() bool {
			code, body := c.get("/readyz")
			return code == http.StatusServiceUnavailable && strings.Contains(body, "right to write topic "+topic)
		})
		t.Logf("%s: not ready after %s", topic, time.Since(began))
		b.grant(write().Allow("User:" + user).AllowHosts().ResourcePatternType(kadm.ACLPatternLiteral))
		c.await("ready again", func() bool { return len(c.notReady()) == 0 })
	}
	p.kill()
	b.runOnce(0)
	b.compareEvents()
}
