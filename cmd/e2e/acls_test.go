package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
)

// userOf makes a user without any right and has the program log in as it.
func (k *secureKafka) userOf(t *testing.T, rows int) *situation {
	t.Helper()
	s := k.reach(t, "SASL_PLAIN", rows)
	s.user(fmt.Sprintf("u%08x", rand.Uint32()), "password-of-a-test")
	return s
}

// grant makes access control lists.
func (s *situation) grant(b *kadm.ACLBuilder) {
	s.t.Helper()
	s.admin(func(ctx context.Context, c *kadm.Client) error {
		created, err := c.CreateACLs(ctx, b)
		for _, acl := range created {
			if err == nil && acl.Err != nil {
				err = fmt.Errorf("%v on %s: %w %s", acl.Operation, acl.Name, acl.Err, acl.ErrMessage)
			}
		}
		return err
	})
}

// byTool carries a remedy out as it is printed, with Kafka's own tool, as an administrator.
func (s *situation) byTool(command string) {
	s.t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		s.t.Fatal(err)
	}
	words := strings.Fields(strings.Replace(command, s.environ["KAFKA_BROKERS"], s.brokers, 1))
	class := map[string]string{
		"kafka-acls.sh": "org.apache.kafka.tools.AclCommand", "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand", "kafka-configs.sh": "kafka.admin.ConfigCommand",
	}[words[0]]
	jars, err := filepath.Glob(filepath.Join(cache, "dfinery-kafka", "kafka-*"))
	if err != nil || len(jars) == 0 {
		s.t.Fatal("no jars of Kafka: ", err)
	}
	tool := exec.CommandContext(s.t.Context(), "java", append([]string{"-XX:TieredStopAtLevel=1", "-cp", jars[len(jars)-1] + "/*", class}, words[1:]...)...)
	if out, err := tool.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", command, err, out)
	}
	s.connected(caughtUp)
}

type report struct {
	OK     bool
	Checks []struct {
		Check, Status, Detail string
		Remedy                []string
	}
}

func (s *situation) report() report {
	s.t.Helper()
	out, _ := s.run("check", "--json")
	var r report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		s.t.Fatalf("%v:\n%s", err, out)
	}
	return r
}

// revoke takes rights of the program away.
func (s *situation) revoke(b *kadm.ACLBuilder) {
	s.t.Helper()
	b.Allow("User:" + s.environ["KAFKA_SASL_USERNAME"]).AllowHosts().ResourcePatternType(kadm.ACLPatternLiteral)
	s.admin(func(ctx context.Context, c *kadm.Client) error {
		deleted, err := c.DeleteACLs(ctx, b)
		if err == nil && (len(deleted) != 1 || len(deleted[0].Deleted) != 1) {
			err = fmt.Errorf("revoked: %+v", deleted)
		}
		return err
	})
}

// giveBack grants what check misses, as it says.
func (s *situation) giveBack() {
	s.t.Helper()
	for _, remedy := range s.remedies() {
		if strings.HasPrefix(remedy, "kafka-acls.sh") {
			s.carryOut(remedy)
		}
	}
}
