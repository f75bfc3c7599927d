package ledger

import (
	"encoding/json"
	"testing"
)

func TestProfiles_RoundTrip(t *testing.T) {
	const text = `{"n":9,"partitions":6,"seed":"17","again_from":3,"request":"r","complete":{"n":8,"at":"2026-11-30T00:00:00Z","profiles":100},` +
		`"absent":{"7":"2026-11-29T00:00:00Z","ranges":[[0,4,5]]},"deletes":[{"at":"2026-11-30T00:00:00Z","export":8,"n":2,"done":false}],` +
		`"withheld":5,"why":"over_ceiling","approved":{"n":5,"until":"2026-12-07T00:00:00Z","later":1},"present":95,"missing":5,"scanned":230,"later":[1]}`
	p := new(Profiles)
	if err := json.Unmarshal([]byte(text), p); err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(p)
	if err != nil || string(got) != text {
		t.Errorf("got  %s, %v\nwant %s", got, err, text)
	}
	none, err := json.Marshal(Profiles{})
	if want := `{"n":0,"partitions":0,"seed":"0"}`; err != nil || string(none) != want {
		t.Errorf("got %s, %v; want %s", none, err, want)
	}
}
