package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
)

// A Text is one that the ledger has.
type Text struct {
	TextID  int64
	Text    string
	IDs     []string // in the order in which they were given
	Groups  []string
	Targets []string
}

// A TextRef names texts: by what they say, by an ID, or by a group. Exactly one
// field is set.
type TextRef struct{ Text, ID, Group string }

// A Digest is the HMAC-SHA256 of a text under a ledger's salt, cut to 128 bits.
// Who has the salt can tell whether a text that he guesses is behind a digest; who
// has not cannot.
type Digest = [16]byte

func digest(salt []byte, parts ...string) Digest {
	h := hmac.New(sha256.New, salt)
	for _, p := range parts {
		h.Write([]byte(p))
	}
	return Digest(h.Sum(nil))
}
