package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// once calls f in a writing transaction, unless the request was carried out before:
// then result is what it was. Of requests a salted digest is kept, and a result
// that holds no content. Without a request id nothing is kept.
func once[T any](t *tx, requestID, call string, request any, f func(w *writer) (T, error)) (result T, err error) {
	err = t.write(func(w *writer) error {
		body, err := json.Marshal(request)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		d := digest(w.salt, "request\x00", call, "\x00", string(body))
		if requestID == "" {
			result, err = f(w)
			return err
		}
		if known, err := w.replay(requestID, d, &result); err != nil || known {
			return err
		}
		if result, err = f(w); err != nil {
			return err
		}
		kept, err := json.Marshal(result)
		w.add("requests", requestID, d[:], string(kept))
		return err
	})
	return result, err
}

// A requestLabel is a label as it goes into the digest of its request: wrong numbers
// and times, which JSON has not, are told apart too.
type requestLabel struct {
	NewLabel
	Time                 int64
	SelectionProbability string
}

func asRequest(labels []NewLabel) []requestLabel {
	list := make([]requestLabel, len(labels))
	for i, n := range labels {
		list[i] = requestLabel{n, micros(n.Time), strconv.FormatFloat(n.SelectionProbability, 'g', -1, 64)}
	}
	return list
}

// replay reads the result of an earlier request.
func (w *writer) replay(requestID string, d Digest, result any) (known bool, err error) {
	var had []byte
	var kept string
	err = w.one([]any{&had, &kept}, `SELECT digest, outcome FROM requests WHERE id = ?`, requestID)
	if err != nil {
		return false, optional(err)
	}
	if string(had) != string(d[:]) {
		return false, ErrRequestReused
	}
	return true, json.Unmarshal([]byte(kept), result)
}

// keptOutcome is an Outcome as the results of requests keep it.
type keptOutcome struct {
	Seq      int64  `json:"seq,omitempty"`
	Existing bool   `json:"existing,omitempty"`
	Code     string `json:"code,omitempty"`
	Message  string `json:"message,omitempty"`
}

// outcomes are results of a call, kept without content: so messages have none.
type outcomes []Outcome

func (o outcomes) MarshalJSON() ([]byte, error) {
	kept := make([]keptOutcome, len(o))
	for i, out := range o {
		kept[i] = keptOutcome{Seq: out.Seq, Existing: out.Existing}
		kept[i].Code, kept[i].Message = codeOf(out.Err)
	}
	return json.Marshal(kept)
}

func (o *outcomes) UnmarshalJSON(data []byte) error {
	var kept []keptOutcome
	if err := json.Unmarshal(data, &kept); err != nil {
		return err
	}
	*o = make(outcomes, len(kept))
	for i, k := range kept {
		(*o)[i] = Outcome{Seq: k.Seq, Existing: k.Existing, Err: errorOf(k.Code, k.Message)}
	}
	return nil
}

func codeOf(err error) (code, message string) {
	for code, known := range outcomeErrors {
		if errors.Is(err, known) {
			return code, err.Error()
		}
	}
	return "", ""
}

func errorOf(code, message string) error {
	if code == "" {
		return nil
	}
	return &outcomeError{code, message}
}
