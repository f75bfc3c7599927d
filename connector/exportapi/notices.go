package exportapi

import "sync"

// maxNotices limits how many warnings a server can cause by answering differently each time.
const maxNotices = 100

// notices are the warnings already logged: each is logged once per process. The zero value is
// empty.
type notices struct {
	mu     sync.Mutex
	logged map[string]bool
}

// first reports whether the notice is new.
func (n *notices) first(key string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.logged[key] || len(n.logged) == maxNotices {
		return false
	}
	if n.logged == nil {
		n.logged = map[string]bool{}
	}
	n.logged[key] = true
	return true
}

// warn logs, once, an oddity of an answer that could still be read. declared is what the answer
// declares.
func (k *call) warn(topic, message, declared, do string) {
	if k.export.Private != nil {
		declared = "not shown"
	}
	if k.client.Log == nil || !k.client.notices.first(topic+" "+declared) {
		return
	}
	k.client.Log.Warn(message, "stream", k.export.Stream, "day", k.export.Day, "declared", k.clean(declared), "do", do)
}
