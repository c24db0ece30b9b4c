package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"
)

// A Verdict is what a gate says of a revision. Verdicts are added and never
// changed.
type Verdict struct {
	Gate    string          `json:"gate"`
	Passed  bool            `json:"passed"`
	Time    time.Time       `json:"time"`
	Details json.RawMessage `json:"details,omitempty"` // a JSON object
}

func verdictPrefix(name, revision string) string {
	return modelPrefix(name) + "verdicts/" + revision + "/"
}

// AddVerdict adds a verdict on a revision, with the time of now.
func (s *Store) AddVerdict(ctx context.Context, name, revision string, v Verdict) error {
	if err := checkText("gate", v.Gate); err != nil {
		return err
	}
	if len(v.Details) > maxConfiguration || len(v.Details) > 0 && !isObject(v.Details) {
		return fmt.Errorf("%w: details: want a JSON object of at most %d bytes", ErrInvalid, maxConfiguration)
	}
	if _, err := s.Card(ctx, name, revision); err != nil {
		return err
	}
	v.Time = s.now()
	key := fmt.Sprintf("%s%s-%s.json", verdictPrefix(name, revision), v.Time.Format("20060102T150405.000000Z"), rand.Text()[:8])
	return s.bucket.create(ctx, key, encode(v))
}

// Verdicts returns the verdicts on a revision, oldest first.
func (s *Store) Verdicts(ctx context.Context, name, revision string) ([]Verdict, error) {
	if _, err := s.Card(ctx, name, revision); err != nil {
		return nil, err
	}
	list, err := s.bucket.list(ctx, verdictPrefix(name, revision), 0)
	if err != nil {
		return nil, err
	}
	var verdicts []Verdict
	for _, o := range list {
		key := verdictPrefix(name, revision) + o.name
		data, err := s.bucket.get(ctx, key, maxJSON)
		if err != nil {
			return nil, err
		}
		var v Verdict
		if err := json.Unmarshal(data, &v); err != nil {
			return nil, fmt.Errorf("%s: %s: %w: %w", s, key, ErrCorrupt, err)
		}
		verdicts = append(verdicts, v)
	}
	return verdicts, nil
}
