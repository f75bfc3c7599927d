package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// selfSigned returns a self-signed certificate and its key in PEM.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
}

// manifest has the objects of the chart as a Kubernetes API server returned them: the pod of
// the connector, and the objects for Strimzi.
type manifest struct {
	Pod    podSpec
	Topics []kafkaTopic
	Users  []kafkaUser
}

type podSpec struct {
	EnableServiceLinks *bool
	Volumes            []volume
	InitContainers     []container
	Containers         []container
}

type container struct {
	Args         []string
	Env          []struct{ Name, Value string }
	VolumeMounts []struct{ Name, MountPath string }
}

type volume struct {
	Name              string
	Secret, ConfigMap *struct{ Items []struct{ Key, Path string } }
}

type kafkaTopic struct {
	TopicName  string
	Partitions int
	Config     map[string]json.RawMessage
}

type kafkaUser struct {
	Authorization struct {
		ACLs []struct {
			Resource   struct{ Type, Name, PatternType string }
			Operations []string
		}
	}
}

// manifests reads the files that .ci/kube has written to the directory CHART_MANIFESTS, by
// the names of their values files.
func manifests(t *testing.T) map[string]manifest {
	t.Helper()
	dir := os.Getenv("CHART_MANIFESTS")
	if dir == "" {
		t.Skip("CHART_MANIFESTS is not set; .ci/chart sets it")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests in %s: %v", dir, err)
	}
	all := map[string]manifest{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = parseManifest(t, text)
	}
	return all
}

func parseManifest(t *testing.T, text []byte) manifest {
	t.Helper()
	var list struct {
		Items []struct {
			Kind string
			Spec json.RawMessage
		}
	}
	decode(t, text, &list)
	var m manifest
	for _, item := range list.Items {
		type template struct{ Spec podSpec }
		switch item.Kind {
		case "Deployment":
			var spec struct{ Template template }
			decode(t, item.Spec, &spec)
			m.Pod = spec.Template.Spec
		case "CronJob":
			var spec struct {
				Suspend     bool // the CronJob that only serves as a template of Jobs
				JobTemplate struct{ Spec struct{ Template template } }
			}
			if decode(t, item.Spec, &spec); spec.Suspend {
				continue
			}
			m.Pod = spec.JobTemplate.Spec.Template.Spec
		case "KafkaTopic":
			var topic kafkaTopic
			decode(t, item.Spec, &topic)
			m.Topics = append(m.Topics, topic)
		case "KafkaUser":
			var user kafkaUser
			decode(t, item.Spec, &user)
			m.Users = append(m.Users, user)
		}
	}
	return m
}

func decode(t *testing.T, text []byte, to any) {
	t.Helper()
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatal(err)
	}
}

// environ returns a container's environment. It writes the files of secrets to the directory
// dir, which takes the place of the pod's root directory.
func (m *manifest) environ(t *testing.T, c container, dir string) map[string]string {
	t.Helper()
	certificate, key := selfSigned(t)
	contents := map[string]string{"dfinery-token": canary + "\n", "kafka-password": canary, "kafka-oauth": canary, "kafka-ca": certificate,
		"registry-ca": certificate, "registry-password": canary, "registry-token": canary, "registry-oauth": canary, "columns": "column,type\nvisits,long\n", "privacy-key": canary + strings.Repeat(" and more", 4)}
	for _, mount := range c.VolumeMounts {
		i := slices.IndexFunc(m.Pod.Volumes, func(v volume) bool { return v.Name == mount.Name })
		if i < 0 {
			t.Fatalf("no volume for the mount %s", mount.Name)
		}
		files := m.Pod.Volumes[i].Secret
		if files == nil {
			files = m.Pod.Volumes[i].ConfigMap
		}
		if files == nil {
			continue // an emptyDir of the user
		}
		for _, item := range files.Items {
			content := contents[mount.Name]
			if mount.Name == "kafka-client" || mount.Name == "registry-client" {
				content = map[string]string{"tls.crt": certificate, "tls.key": key}[item.Key]
			}
			path := filepath.Join(dir, mount.MountPath, item.Path)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	environ := map[string]string{}
	for _, variable := range c.Env {
		environ[variable.Name] = variable.Value
		if strings.HasPrefix(variable.Value, "/run/secrets/") {
			environ[variable.Name] = dir + variable.Value
		}
	}
	return environ
}
