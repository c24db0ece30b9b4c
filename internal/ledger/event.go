package ledger

import (
	"encoding/json"
	"time"
)

// Kinds of events. Record adds kinds of its callers.
const (
	KindLabel      = "label"      // somebody gives a label, or takes it back
	KindForget     = "forget"     // a text is erased
	KindRemap      = "remap"      // a label is renamed, merged, split or dropped
	KindQuarantine = "quarantine" // a label shall not be trained on
	KindConfirm    = "confirm"    // somebody else says that it is right
	KindQueue      = "queue"      // a text shall be labelled
	KindSkip       = "skip"       // an annotator will not label it
)

// kinds are the ledger's own, which Record refuses.
var kinds = []string{KindLabel, KindForget, KindRemap, KindQuarantine, KindConfirm, KindQueue, KindSkip}

// An Event is one entry of the ledger. Which fields it has depends on its kind.
type Event struct {
	Seq  int64  `json:"seq"`
	Kind string `json:"kind"`
	// TextID is the ledger's number of the text, 0 if the event is about none. Text,
	// ID, Group and Target are empty once it is forgotten. ID and Group are the first
	// that were given.
	TextID    int64  `json:"text_id,omitempty"`
	Text      string `json:"text,omitempty"`
	ID        string `json:"id,omitempty"`
	Group     string `json:"group,omitempty"`
	TargetID  int64  `json:"target_id,omitempty"` // number of the target among the text's; 0: none
	Target    string `json:"target,omitempty"`
	Forgotten bool   `json:"forgotten,omitempty"`

	Head                 string    `json:"head,omitempty"`
	Label                string    `json:"label,omitempty"`
	Annotator            string    `json:"annotator,omitempty"`
	Source               string    `json:"source,omitempty"`
	Selection            Selection `json:"selection,omitempty"`
	SelectionProbability float64   `json:"selection_probability,omitempty"`
	Adjudicated          bool      `json:"adjudicated,omitempty"`
	// Ref is the event that this one is about: the label that it replaces, quarantines
	// or confirms, the queue item that it skips.
	Ref int64 `json:"ref,omitempty"`
	// Details are what only events of this kind have, as a JSON object.
	Details json.RawMessage `json:"details,omitempty"`

	Time     time.Time `json:"time"`     // when it was so, as the caller said
	Recorded time.Time `json:"recorded"` // when the ledger wrote it
}

// details are what the ledger's own kinds keep in Event.Details.
type details struct {
	To       []string `json:"to,omitempty"`       // remap
	Reason   string   `json:"reason,omitempty"`   // forget, remap, quarantine
	Surprise float64  `json:"surprise,omitempty"` // quarantine, in nats
}
