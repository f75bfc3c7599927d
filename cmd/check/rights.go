package check

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/pipeline/cluster"
)

// rights reports the missing rights, and returns them.
func (c *Check) rights(ctx context.Context) (missing missingRights) {
	rights := c.Service.Rights()
	answers, err := c.Cluster.Allowed(ctx, rights...)
	if err != nil {
		c.add(Fail, "rights", err.Error())
		return nil
	}
	granted := 0
	for i, r := range rights {
		switch {
		case answers[i] == nil:
			granted++
		case cluster.Forbidden(answers[i]):
			missing = append(missing, r)
		default:
			c.add(Warn, "right "+r.String(), "could not be determined: "+answers[i].Error())
		}
	}
	if len(missing) == 0 {
		c.add(OK, "rights", fmt.Sprintf("%d of %d granted", granted, len(rights)))
	}
	for _, r := range missing {
		status := Fail
		if r.Optional {
			status = Warn
		}
		c.add(status, "right "+r.String(), "is not granted; it is needed to "+r.Purpose, c.Cluster.Grant(c.principal(), r)...)
	}
	return missing
}

// principal is the connector's principal, as far as it is known here: a listener may map names
// by its own rules.
func (c *Check) principal() string {
	k := &c.Config.Kafka
	switch {
	case k.Mechanism == config.OAuthBearer:
		return "User:" + k.ClientID // the subject of its tokens with most servers
	case k.Mechanism != "":
		return "User:" + k.Username
	case k.CertFile != "":
		pair, err := tls.LoadX509KeyPair(k.CertFile, k.KeyFile)
		if err == nil {
			return "User:" + pair.Leaf.Subject.String()
		}
	}
	return "User:ANONYMOUS"
}

// missingRights are the rights that are not granted.
type missingRights []cluster.Right

// has reports whether a right on a topic is missing.
func (m missingRights) has(name string, op cluster.Operation) bool {
	return slices.ContainsFunc(m, func(r cluster.Right) bool { return r.Name == name && r.Operation == op })
}
