package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
)

var kindPattern = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)

// Record writes an event of a kind of the caller's, such as "retrain", with details
// that are a JSON object, and returns its number.
func (l *Ledger) Record(ctx context.Context, kind string, about json.RawMessage) (seq int64, err error) {
	if err := checkKind(kind); err != nil {
		return 0, err
	}
	if slices.Contains(kinds, kind) {
		return 0, fmt.Errorf("%w: kind %q is one of the ledger's own", ErrInvalid, kind)
	}
	if err := checkJSON("details", about, MaxDetails); err != nil {
		return 0, err
	}
	var compact bytes.Buffer
	if len(about) > 0 {
		if err := json.Compact(&compact, about); err != nil {
			return 0, err
		}
	}
	err = l.lockedTx(ctx, func(t *tx) error {
		return t.write(func(w *writer) error {
			seq = w.event(&Event{Kind: kind, Details: compact.Bytes()})
			return nil
		})
	})
	return seq, err
}

func checkKind(kind string) error {
	if len(kind) > MaxKind || !kindPattern.MatchString(kind) {
		return fmt.Errorf("%w: kind: want at most %d small letters, digits, - and _", ErrInvalid, MaxKind)
	}
	return nil
}
