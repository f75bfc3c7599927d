package exportapi

import "sync"

// maxNotices bounds what a server can have written into the log by answering otherwise each time.
const maxNotices = 100

// notices are the warnings that were logged already: each is logged once a process. The zero value has none.
type notices struct {
	mu   sync.Mutex
	said map[string]bool
}

// first says whether the notice is new.
func (n *notices) first(key string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.said[key] || len(n.said) == maxNotices {
		return false
	}
	if n.said == nil {
		n.said = map[string]bool{}
	}
	n.said[key] = true
	return true
}

// warn logs once what is odd about the API's answers, and could be read all the same. declared is what the answer said.
func (k *call) warn(topic, message, declared, do string) {
	if k.export.Private != nil {
		declared = "not shown"
	}
	if k.client.Log == nil || !k.client.notices.first(topic+" "+declared) {
		return
	}
	k.client.Log.Warn(message, "stream", k.export.Stream, "day", k.export.Day, "declared", k.clean(declared), "do", do)
}
