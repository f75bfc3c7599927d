package connector

import (
	"encoding/json"
	"fmt"
	"time"

	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/connector/limiter"
)

const stateVersion = 1

// persistedState is the state of a Source as stored between restarts.
type persistedState struct {
	Version int `json:"version"`
	limiter.State
	Habit *exportapi.Habit `json:"habit,omitempty"`
}

// State is what NewSource needs after a restart: the calls of the last hour, the breaker,
// pauses and, for older releases, whether a last line without a newline is complete. It
// contains no secrets.
func (s *Source) State() json.RawMessage {
	state, err := json.Marshal(persistedState{Version: stateVersion, State: s.limiter.State(time.Now()), Habit: s.lineEnds.Habit()})
	if err != nil {
		panic(fmt.Sprintf("marshal the source's state: %v", err)) // plain data can't fail
	}
	return state
}

// readState checks the version before the rest, as another version may use the same names with
// other types. lineEnds imports the habit stored by an earlier release.
func readState(state json.RawMessage, lineEnds *exportapi.LineEndLearner) (limiter.State, error) {
	if len(state) == 0 {
		lineEnds.Claim(nil)
		return limiter.State{}, nil
	}
	var only struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(state, &only); err != nil {
		return limiter.State{}, fmt.Errorf("read the source's state: %w", err)
	}
	if only.Version != stateVersion {
		return limiter.State{}, fmt.Errorf("read the source's state: version %d, this release reads only version %d", only.Version, stateVersion)
	}
	var s persistedState
	if err := json.Unmarshal(state, &s); err != nil {
		return limiter.State{}, fmt.Errorf("read the source's state: %w", err)
	}
	lineEnds.Claim(s.Habit)
	return s.State, nil
}
