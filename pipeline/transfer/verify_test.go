package transfer

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
	"dfinery-kafka/schema/registry"
)

// countingRegistry has versions of a schema by their number of columns, and counts look-ups.
type countingRegistry struct {
	ids    map[int]int
	asked  []int
	absent bool
}

func (r *countingRegistry) Register(context.Context, *registry.Schema) (int, error) {
	return 0, errors.New("verify must not register")
}

func (r *countingRegistry) Lookup(_ context.Context, s *registry.Schema) (int, error) {
	columns := strings.Count(s.Text, `"default":`)
	r.asked = append(r.asked, columns)
	if r.absent {
		return 0, &registry.Error{Wait: true}
	}
	id, ok := r.ids[columns]
	if !ok {
		return 0, &registry.Error{Code: schema.SchemaUnknown}
	}
	return id, nil
}

// TestVerify_First: the first schema is registered by this process, which then publishes without
// the registry.
func TestVerify_First(t *testing.T) {
	t.Parallel()
	r := &countingRegistry{absent: true}
	ledger, v := new(fakeLedger), avroValues(r)
	if err := verify(t.Context(), ledger.encoder(v)); err != nil {
		t.Fatal(err)
	}
	v.Registry = new(fakeRegistry)
	if err := ledger.header(t, v, "id"); err != nil {
		t.Fatal(err)
	}
	v.Registry = r
	if err := verify(t.Context(), ledger.encoder(v)); err != nil {
		t.Errorf("the next export waits: %v", err)
	}
}

// TestVerify_Unregistered: fields that the registry has not answered for are registered before the
// next call, which is not made until then.
func TestVerify_Unregistered(t *testing.T) {
	t.Parallel()
	r, away := new(fakeRegistry), true
	r.refuse = func(*registry.Schema) error {
		if away {
			return &registry.Error{Wait: true}
		}
		return nil
	}
	ledger, v := new(fakeLedger), avroValues(r)
	if err := ledger.header(t, v, "id"); err == nil {
		t.Fatal("a header was published without the registry")
	}
	err := verify(t.Context(), ledger.encoder(v))
	if failed, ok := errors.AsType[*registry.Error](err); !ok || !failed.Wait {
		t.Errorf("error %v, want one that waits", err)
	}
	away = false
	if err := verify(t.Context(), ledger.encoder(v)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]encoding.Version{{Fields: 1, ID: 1}}, ledger.kept.Versions); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
}

// TestVerify: every version is looked up once, later only the newest: a registry that was
// emptied or has other contents is detected before the next call.
func TestVerify(t *testing.T) {
	t.Parallel()
	kept := &encoding.Evolution{Format: encoding.FormatAvro, Topic: "events", Subject: "events-value",
		Fields:   []encoding.Field{{Column: "a", Name: "a"}, {Column: "b", Name: "b"}, {Column: "c", Name: "c"}},
		Versions: []encoding.Version{{Fields: 1, ID: 7}, {Fields: 2, ID: 8}, {Fields: 3, ID: 9}}}
	r := &countingRegistry{ids: map[int]int{1: 7, 2: 8, 3: 9}}
	values := &Values{Options: encoding.Options{Format: encoding.FormatAvro}, Record: "dfinery.events", Subject: "events-value", Registry: r}
	for _, step := range []struct {
		what   string
		change func()
		asked  []int
		code   schema.Code
	}{
		{"the first export", func() {}, []int{1, 2, 3}, ""},
		{"the next one", func() {}, []int{3}, ""},
		{"without the registry", func() { r.absent = true }, []int{3}, ""},
		{"an emptied registry", func() { r.absent, r.ids = false, nil }, []int{3}, schema.RegistryLost},
		{"one that gave the id to another schema", func() { r.ids = map[int]int{3: 7} }, []int{3}, schema.RegistryLost},
	} {
		step.change()
		r.asked = nil
		encoder := &typedEncoder{values: values, topic: "events", evolve: func(context.Context, func(*encoding.Evolution) (*encoding.Evolution, error)) (*encoding.Evolution, error) {
			return kept.Clone(), nil
		}}
		err := verify(t.Context(), newMetaEncoder(encoder, &schema.Export{}, nil))
		code := schema.Code("")
		if failed, ok := errors.AsType[*registry.Error](err); ok {
			code = failed.Code
		}
		if code != step.code {
			t.Errorf("%s: %v", step.what, err)
		}
		if diff := cmp.Diff(step.asked, r.asked); diff != "" {
			t.Errorf("%s: looked up (-want +got):\n%s", step.what, diff)
		}
	}
}
