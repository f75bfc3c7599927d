package connector

import (
	"encoding/json"
	"fmt"
	"time"

	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/connector/limiter"
)

const stateVersion = 1

// persistedState is a Source between two processes.
type persistedState struct {
	Version int `json:"version"`
	limiter.State
	Habit *exportapi.Habit `json:"habit,omitempty"`
}

// State is what NewSource needs after a restart: the calls of the last hour, the breaker, pauses, and for older releases whether a
// last line without a newline is whole. It holds no secret.
func (s *Source) State() json.RawMessage {
	state, err := json.Marshal(persistedState{Version: stateVersion, State: s.limiter.State(time.Now()), Habit: s.lineEnds.Habit()})
	if err != nil {
		panic(fmt.Sprintf("marshal the source's state: %v", err)) // plain data can't fail
	}
	return state
}

// readState reads the version first: another one may give other types to the same names. lineEnds takes an earlier release's habit.
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
		return limiter.State{}, fmt.Errorf("read the source's state: version %d, this release knows only version %d", only.Version, stateVersion)
	}
	var s persistedState
	if err := json.Unmarshal(state, &s); err != nil {
		return limiter.State{}, fmt.Errorf("read the source's state: %w", err)
	}
	lineEnds.Claim(s.Habit)
	return s.State, nil
}
