package ledger

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// checkString checks a string of a field: UTF-8 without NUL, which PostgreSQL has
// not, of at most so many bytes.
func checkString(field, s string, limit int) error {
	switch {
	case len(s) > limit:
		return fmt.Errorf("%w: %s has %d bytes: want at most %d", ErrTooLarge, field, len(s), limit)
	case !utf8.ValidString(s):
		return fmt.Errorf("%w: %s is not UTF-8", ErrInvalid, field)
	case strings.IndexByte(s, 0) >= 0:
		return fmt.Errorf("%w: %s has a NUL character", ErrInvalid, field)
	}
	return nil
}

// checkName checks one that may not be empty.
func checkName(field, s string, limit int) error {
	if s == "" {
		return fmt.Errorf("%w: %s is missing", ErrInvalid, field)
	}
	return checkString(field, s, limit)
}

func checkBatch(n int) error {
	if n > MaxBatch {
		return fmt.Errorf("%w: %d items in one call: want at most %d", ErrTooLarge, n, MaxBatch)
	}
	return nil
}

func checkTime(t time.Time) error {
	if t.IsZero() {
		return nil
	}
	if y := t.UTC().Year(); y < 1970 || y > 9999 {
		return fmt.Errorf("%w: time is in the year %d: want 1970 to 9999", ErrInvalid, y)
	}
	return nil
}

func checkSelection(s Selection, probability float64) error {
	if !slices.Contains(Selections(), s) {
		return fmt.Errorf("%w: selection: want one of random, uncertain, correction, suspect, other, or none", ErrInvalid)
	}
	if !(probability >= 0 && probability <= 1) {
		return fmt.Errorf("%w: selection probability %v: want one from 0 to 1", ErrInvalid, probability)
	}
	return nil
}

func checkJSON(field string, data json.RawMessage, limit int) error {
	if err := checkString(field, string(data), limit); err != nil {
		return err
	}
	if len(data) > 0 && !json.Valid(data) {
		return fmt.Errorf("%w: %s is not JSON", ErrInvalid, field)
	}
	return nil
}

// first is the first of the errors.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkSubject checks what names a text and its target.
func checkSubject(text, id, group, target string) error {
	if text == "" && id == "" {
		return fmt.Errorf("%w: text and id are missing: want one of them", ErrInvalid)
	}
	return first(checkString("text", text, MaxText), checkString("id", id, MaxID),
		checkString("group", group, MaxID), checkString("target", target, MaxTarget))
}

func (n *NewLabel) check() error {
	if n.Supersedes < 0 {
		return fmt.Errorf("%w: supersedes %d: want the number of an event", ErrInvalid, n.Supersedes)
	}
	return first(checkSubject(n.Text, n.ID, n.Group, n.Target),
		checkName("head", n.Head, MaxName), checkString("label", n.Label, MaxName),
		checkName("annotator", n.Annotator, MaxName), checkString("source", n.Source, MaxName),
		checkTime(n.Time), checkSelection(n.Selection, n.SelectionProbability))
}

func (r TextRef) check() error {
	set := 0
	for _, s := range []string{r.Text, r.ID, r.Group} {
		if s != "" {
			set++
		}
	}
	if set != 1 {
		return fmt.Errorf("%w: a reference has %d of text, id and group: want one", ErrInvalid, set)
	}
	return first(checkString("text", r.Text, MaxText), checkString("id", r.ID, MaxID), checkString("group", r.Group, MaxID))
}
