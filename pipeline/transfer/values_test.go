package transfer

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
	"dfinery-kafka/schema/registry"
)

// fakeRegistry gives each text of a subject its own id, unless refuse returns an error.
type fakeRegistry struct {
	mu     sync.Mutex
	known  []string
	refuse func(*registry.Schema) error
}

func (f *fakeRegistry) Register(_ context.Context, s *registry.Schema) (int, error) {
	if f.refuse != nil {
		if err := f.refuse(s); err != nil {
			return 0, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	name := s.Subject + "\n" + s.Text
	if i := slices.Index(f.known, name); i >= 0 {
		return i + 1, nil
	}
	f.known = append(f.known, name)
	return len(f.known), nil
}

func (f *fakeRegistry) Lookup(_ context.Context, s *registry.Schema) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.Index(f.known, s.Subject+"\n"+s.Text); i >= 0 {
		return i + 1, nil
	}
	return 0, &registry.Error{Code: schema.SchemaUnknown}
}

// fakeLedger keeps one evolution.
type fakeLedger struct {
	mu   sync.Mutex
	kept *encoding.Evolution
}

func (l *fakeLedger) evolve(_ context.Context, change func(*encoding.Evolution) (*encoding.Evolution, error)) (*encoding.Evolution, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var now *encoding.Evolution
	if l.kept != nil {
		now = l.kept.Clone()
	}
	next, err := change(now)
	if err != nil {
		return nil, err
	}
	if next != nil {
		l.kept = next.Clone()
	}
	if l.kept == nil {
		return nil, nil
	}
	return l.kept.Clone(), nil
}

func (l *fakeLedger) encoder(v *Values) *typedEncoder {
	return &typedEncoder{values: v, topic: "events", evolve: l.evolve}
}

func (l *fakeLedger) header(t *testing.T, v *Values, names ...string) error {
	t.Helper()
	columns, err := schema.NewColumns(names)
	if err != nil {
		t.Fatal(err)
	}
	return l.encoder(v).Header(t.Context(), columns)
}

func avroValues(r SchemaRegistry) *Values {
	return &Values{Options: encoding.Options{Format: encoding.FormatAvro}, Record: "dfinery.events", Subject: "events-value", Registry: r}
}

// TestTypedEncoder_TwoHeaders: while a schema with a new column of one export is being
// registered, another export with another new column neither uses nor removes that column.
func TestTypedEncoder_TwoHeaders(t *testing.T) {
	registering, proceed := make(chan struct{}), make(chan struct{})
	r := &fakeRegistry{}
	ledger, v := new(fakeLedger), avroValues(r)
	if err := ledger.header(t, v, "id"); err != nil {
		t.Fatal(err)
	}
	r.refuse = func(s *registry.Schema) error {
		if strings.Contains(s.Text, `"bad"`) {
			return &registry.Error{Code: schema.SchemaIncompatible}
		}
		registering <- struct{}{}
		<-proceed
		return nil
	}
	good, bad := make(chan error, 1), make(chan error, 1)
	go func() { good <- ledger.header(t, v, "id", "good") }()
	<-registering
	go func() { bad <- ledger.header(t, v, "id", "bad") }()
	if err := ledger.header(t, v, "id"); err != nil {
		t.Errorf("a header that the registry knows: %v", err)
	}
	close(proceed)
	if err := <-good; err != nil {
		t.Errorf("the good column: %v", err)
	}
	if err := <-bad; err == nil {
		t.Error("the bad column was accepted")
	}
	want := &encoding.Evolution{
		Format: encoding.FormatAvro, Topic: "events", Subject: "events-value", Record: "dfinery.events",
		Fields: []encoding.Field{{Column: "id", Name: "id"}, {Column: "good", Name: "good"}}, Versions: []encoding.Version{{Fields: 1, ID: 1}, {Fields: 2, ID: 2}},
	}
	if diff := cmp.Diff(want, ledger.kept); diff != "" {
		t.Errorf("the ledger (-want +got):\n%s", diff)
	}
	if err := ledger.encoder(v).verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestTypedEncoder_RegistryAway: exports with a known header continue while one with a new
// header waits for the registry.
func TestTypedEncoder_RegistryAway(t *testing.T) {
	r := &fakeRegistry{}
	ledger, v := new(fakeLedger), avroValues(r)
	if err := ledger.header(t, v, "id"); err != nil {
		t.Fatal(err)
	}
	r.refuse = func(*registry.Schema) error { return &registry.Error{Wait: true} }
	if err := ledger.header(t, v, "id", "new"); err == nil {
		t.Error("a new column was published without the registry")
	}
	if err := ledger.header(t, v, "id"); err != nil {
		t.Errorf("a known header waits: %v", err)
	}
}

// TestTypedEncoder_Renamed: with another subject or record name the schema is registered
// again, and no id counts as lost. If the registry refuses it, no field is removed.
func TestTypedEncoder_Renamed(t *testing.T) {
	for name, change := range map[string]func(*Values){
		"subject": func(v *Values) { v.Subject = "dfinery.events" },
		"record":  func(v *Values) { v.Record = "shop.Event" },
		"both":    func(v *Values) { v.Record, v.Subject = "shop.Event", "shop.Event" },
	} {
		t.Run(name, func(t *testing.T) {
			r := &fakeRegistry{}
			ledger, before, after := new(fakeLedger), avroValues(r), avroValues(r)
			change(after)
			if err := ledger.header(t, before, "id", "visits"); err != nil {
				t.Fatal(err)
			}
			fields := slices.Clone(ledger.kept.Fields)
			if err := ledger.encoder(after).verify(t.Context()); err != nil {
				t.Errorf("the look-up before the call: %v", err)
			}
			r.refuse = func(*registry.Schema) error { return &registry.Error{Code: schema.SchemaIncompatible} }
			if refused, ok := errors.AsType[*registry.Error](ledger.header(t, after, "id", "more")); !ok || refused.Code != schema.SchemaIncompatible {
				t.Errorf("refused: %v", refused)
			}
			r.refuse = nil
			for _, v := range []*Values{before, after} {
				if err := ledger.header(t, v, "visits", "id"); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(fields, ledger.kept.Fields); diff != "" {
					t.Errorf("fields (-before +after):\n%s", diff)
				}
				if err := ledger.encoder(v).verify(t.Context()); err != nil {
					t.Error(err)
				}
			}
			if id, ok := ledger.kept.ID(2); !ok || id != 2 {
				t.Errorf("id %d, %t", id, ok)
			}
		})
	}
}

// TestTypedEncoder_Reassigned: a registry that is emptied during an export must not give the id
// of published rows to another schema.
func TestTypedEncoder_Reassigned(t *testing.T) {
	ledger, v := new(fakeLedger), avroValues(new(fakeRegistry))
	if err := ledger.header(t, v, "id"); err != nil {
		t.Fatal(err)
	}
	v.Registry = new(fakeRegistry)
	err := ledger.header(t, v, "id", "new")
	if failed, ok := errors.AsType[*registry.Error](err); !ok || failed.Code != schema.RegistryLost {
		t.Errorf("error %v, want %s", err, schema.RegistryLost)
	}
	if n := len(ledger.kept.Fields); n != 1 {
		t.Errorf("%d fields are kept, want the one that was published", n)
	}
}

// TestTypedEncoder_BadCell: a reason shows the start of a cell, and nothing of a secret in it.
func TestTypedEncoder_BadCell(t *testing.T) {
	const secret = "s3cr3t-t0k3n"
	long := func(cell string) string { return cell + strings.Repeat("x", maxCell) }
	for cell, want := range map[string]string{
		"5.5": `"5.5"`, long(""): `"` + long("") + `"`, long(strings.Repeat("가", 21) + "나"): `"` + strings.Repeat("가", 21) + `"`,
		secret: `"` + schema.Redacted + `"`, secret[:6]: `"` + secret[:6] + `"`,
		strings.Repeat("x", maxCell-6) + secret: `"` + strings.Repeat("x", maxCell-6) + schema.Redacted + `"`,
	} {
		v := avroValues(new(fakeRegistry))
		v.Columns.Declared = []encoding.Declaration{{Column: "n", Type: encoding.Type{Kind: encoding.Long}}}
		e := new(fakeLedger).encoder(v)
		e.redact = func(text []byte) []byte { // recognizes the start of the secret at the end of a text
			clean, cut := bytes.CutSuffix(text, []byte(secret[:6]))
			if cut {
				clean = append(bytes.Clone(clean), schema.Redacted...)
			}
			return bytes.ReplaceAll(clean, []byte(secret), []byte(schema.Redacted))
		}
		columns, err := schema.NewColumns([]string{"n"})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Header(t.Context(), columns); err != nil {
			t.Fatal(err)
		}
		_, err = e.Append(nil, &schema.Row{Columns: columns, Line: 2, Data: []byte(cell), Cells: []schema.Span{{End: uint32(len(cell))}}}) //nolint:gosec // short
		bad, ok := errors.AsType[*schema.BadRow](err)
		if detail := "line 2: column n: " + want + " is no long"; !ok || bad.Detail != detail {
			t.Errorf("%.80s: %v, want %s", cell, err, detail)
		}
	}
}

// TestTypedEncoder_Fenced: an instance that can't write the ledger registers nothing, not even
// fields that are already in it.
func TestTypedEncoder_Fenced(t *testing.T) {
	columns, err := schema.NewColumns([]string{"id"})
	if err != nil {
		t.Fatal(err)
	}
	r := &fakeRegistry{refuse: func(*registry.Schema) error { return &registry.Error{Wait: true} }}
	ledger, v := new(fakeLedger), avroValues(r)
	if err := ledger.header(t, v, "id"); err == nil {
		t.Fatal("a header was published without the registry")
	}
	r.refuse = nil
	fenced := errors.New("fenced")
	e := ledger.encoder(v)
	e.evolve = func(ctx context.Context, change func(*encoding.Evolution) (*encoding.Evolution, error)) (*encoding.Evolution, error) {
		return ledger.evolve(ctx, func(e *encoding.Evolution) (*encoding.Evolution, error) {
			next, err := change(e)
			if next != nil && err == nil {
				err = fenced
			}
			return nil, err
		})
	}
	for what, err := range map[string]error{"before a call": e.verify(t.Context()), "below a header": e.Header(t.Context(), columns)} {
		if !errors.Is(err, fenced) {
			t.Errorf("%s: error %v, want that of the ledger", what, err)
		}
	}
	if len(r.known) > 0 {
		t.Errorf("registered %q", r.known)
	}
}
