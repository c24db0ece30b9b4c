package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A figure is what a system reached on a set, as a share.
type figure struct {
	System   string   `json:"system"`
	Accuracy *float64 `json:"accuracy,omitempty"`
	MacroF1  *float64 `json:"macro_f1,omitempty"`
	FAvg     *float64 `json:"f_avg,omitempty"`
}

// of returns the figure of that measure, nil when there is none.
func (f figure) of(m measure) *float64 {
	if m.name == fAvgName {
		return f.FAvg
	}
	return f.MacroF1
}

// best returns the system with the highest figure, of equals the first, and
// nil when none has the measure.
func best(list []figure, m measure) *figure {
	var found *figure
	for i, f := range list {
		if v := f.of(m); v != nil && (found == nil || *v > *found.of(m)) {
			found = &list[i]
		}
	}
	return found
}

// readFigures reads files of figures; it returns them by set.
func readFigures(paths []string) (map[string][]figure, error) {
	bySet := map[string][]figure{}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		name, _, _ := strings.Cut(filepath.Base(path), ".")
		if err := addFigures(bySet, name, b); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return bySet, nil
}

// addFigures adds those of one file, which has the given name.
func addFigures(bySet map[string][]figure, name string, file []byte) error {
	d := json.NewDecoder(bytes.NewReader(file))
	for {
		var members map[string]json.RawMessage
		if err := d.Decode(&members); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var err error
		if quoted, ok := members["set"]; ok {
			err = addSystems(bySet, name, quoted, members)
		} else {
			err = addSets(bySet, name, members)
		}
		if err != nil {
			return err
		}
	}
}

// addSystems adds the figures of an object about one set: a member that is an
// object is a system.
func addSystems(bySet map[string][]figure, name string, quoted json.RawMessage, members map[string]json.RawMessage) error {
	var set string
	if err := json.Unmarshal(quoted, &set); err != nil {
		return fmt.Errorf("set: %w", err)
	}
	for _, key := range sortedKeys(members) {
		if members[key][0] != '{' {
			continue
		}
		f, err := parseFigure(name+" "+key, members[key])
		if err != nil {
			return fmt.Errorf("%s: %w", set, err)
		}
		bySet[set] = append(bySet[set], f)
	}
	return nil
}

// addSets adds the figures of an object about one system: every member is a
// set.
func addSets(bySet map[string][]figure, name string, members map[string]json.RawMessage) error {
	for _, set := range sortedKeys(members) {
		f, err := parseFigure(name, members[set])
		if err != nil {
			return fmt.Errorf("%s: %w", set, err)
		}
		bySet[set] = append(bySet[set], f)
	}
	return nil
}

func sortedKeys(members map[string]json.RawMessage) []string {
	var keys []string
	for k := range members {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// parseFigure turns points into shares.
func parseFigure(system string, object []byte) (figure, error) {
	var points struct {
		Accuracy *float64 `json:"accuracy"`
		MacroF1  *float64 `json:"macro_f1"`
		FAvg     *float64 `json:"favg"`
		Pick     []string `json:"pick"`
	}
	if err := json.Unmarshal(object, &points); err != nil {
		return figure{}, fmt.Errorf("%s: %w", system, err)
	}
	f := figure{system, points.Accuracy, points.MacroF1, points.FAvg}
	for _, v := range []*float64{f.Accuracy, f.MacroF1, f.FAvg} {
		if v == nil {
			continue
		}
		if !(*v >= 0 && *v <= 100) {
			return figure{}, fmt.Errorf("%s: %v: want points, 0 to 100", system, *v)
		}
		*v /= 100
	}
	if len(points.Pick) > 0 {
		f.System += ": " + strings.Join(points.Pick, " ")
	}
	return f, nil
}

// A prediction is a line of a file of answers.
type prediction struct {
	ID          string   `json:"id"`
	Fold        *int     `json:"fold,omitempty"`
	Truth       string   `json:"truth"`
	Predicted   string   `json:"predicted"`
	Probability *float64 `json:"probability,omitempty"` // of Predicted
}

// predictionFile is the file of a set's answers in a folder.
func predictionFile(dir string, s set) string { return filepath.Join(dir, s.name+".jsonl") }

// readPredictions reads a file of answers, nil when it is not there.
func readPredictions(path string) ([]prediction, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []prediction
	for d := json.NewDecoder(bytes.NewReader(b)); ; {
		var p prediction
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: prediction %d: %w", path, len(list)+1, err)
		}
		list = append(list, p)
	}
}

// predictions are the answers of the set in the order of its rows.
func (t *testedSet) predictions() []prediction {
	var list []prediction
	for _, r := range t.rows {
		p := prediction{ID: r.ID, Truth: r.Truth, Predicted: t.labels[r.predicted], Probability: &r.probabilities[r.predicted]}
		if t.folds > 0 {
			p.Fold = &r.fold
		}
		list = append(list, p)
	}
	return list
}

// matched returns a peer's answer to each row of the set. Rows are known by
// fold and id; those that share both are taken in order.
func (t *testedSet) matched(list []prediction) ([]string, error) {
	if len(list) != len(t.rows) {
		return nil, fmt.Errorf("%d predictions for %d test rows", len(list), len(t.rows))
	}
	type key struct {
		fold int
		id   string
	}
	queues := map[key][]prediction{}
	for _, p := range list {
		k := key{id: p.ID}
		if p.Fold != nil {
			k.fold = *p.Fold
		}
		queues[k] = append(queues[k], p)
	}
	answers := make([]string, len(t.rows))
	for i, r := range t.rows {
		k := key{r.fold, r.ID}
		if len(queues[k]) == 0 {
			return nil, fmt.Errorf("no prediction for row %q of fold %d", r.ID, r.fold)
		}
		p := queues[k][0]
		if p.Truth != r.Truth {
			return nil, fmt.Errorf("row %q of fold %d: the truth is %q, not %q", r.ID, r.fold, r.Truth, p.Truth)
		}
		answers[i], queues[k] = p.Predicted, queues[k][1:]
	}
	return answers, nil
}
