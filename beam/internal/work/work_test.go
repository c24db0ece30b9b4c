package work

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/model/modeltest"
	"github.com/parley-nlp/parley/internal/score"

	"github.com/parley-nlp/parley/beam/internal/cut"
)

func writeModel(t *testing.T, path string, m *model.Model) {
	t.Helper()
	if err := os.WriteFile(path, m.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestAModelThatHasChangedIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.model")
	writeModel(t, path, modeltest.Topics(t))
	_, ref, err := Resolve(t.Context(), ModelRef{File: path}, "")
	if err != nil {
		t.Fatal(err)
	}
	writeModel(t, path, modeltest.Stance(t))
	if _, err := ref.load(t.Context()); err == nil || !strings.Contains(err.Error(), "has changed since the job was submitted") {
		t.Errorf("another model: error %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := ref.load(t.Context()); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("no model: error %v", err)
	}
	writeModel(t, path, modeltest.Topics(t))
	m, err := ref.load(t.Context())
	if err != nil {
		t.Fatalf("a model that is back: %v", err)
	}
	if again, err := ref.load(t.Context()); err != nil || again != m {
		t.Errorf("the model is read again, error %v", err)
	}
}

// finished writes the files of parts, as workers do, and lets finishFn see them.
func finished(t *testing.T, s Spec, parts []Done) error {
	t.Helper()
	f := &finishFn{s}
	i := 0
	return f.ProcessElement(t.Context(), 0, func(d *Done) bool {
		if i == len(parts) {
			return false
		}
		*d = parts[i]
		i++
		return true
	}, func(**Sums) bool { return false })
}

// part writes the output of a part.
func part(t *testing.T, s *Spec, number int) Done {
	t.Helper()
	o, err := newOutput(t.Context(), s, number)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.rows.Write([]byte("{}\n")); err != nil {
		t.Fatal(err)
	}
	d, err := o.close(nil)
	if err != nil {
		t.Fatal(err)
	}
	d.Part = number
	if d.Summary, err = json.Marshal(score.Summary{Rows: 1}); err != nil {
		t.Fatal(err)
	}
	return d
}

func newSpec(t *testing.T, parts int) Spec {
	return Spec{Out: t.TempDir(), Token: "t", Parts: parts, Rows: true, Format: score.JSONL, MaxErrors: -1}
}

func names(t *testing.T, s Spec) string {
	t.Helper()
	entries, err := os.ReadDir(s.Out)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return strings.Join(list, " ")
}

func TestFinishingTwiceIsFinishingOnce(t *testing.T) {
	s := newSpec(t, 2)
	parts := []Done{part(t, &s, 1), part(t, &s, 0), part(t, &s, 1)} // runners may try twice
	s.Async = true                                                  // nobody but the last step removes what is temporary
	for try := range 3 {
		if try == 2 { // the first try ended between names and receipt
			if err := os.Remove(filepath.Join(s.Out, ReceiptName)); err != nil {
				t.Fatal(err)
			}
		}
		if err := finished(t, s, parts); err != nil {
			t.Fatal(err)
		}
		if got := names(t, s); got != "job.json rows-00000-of-00002.jsonl rows-00001-of-00002.jsonl" {
			t.Fatalf("files %s", got)
		}
	}
	r, err := s.Receipt(t.Context())
	if err != nil || r.Summary.Rows != 2 || len(r.Files) != 2 {
		t.Errorf("receipt %+v, error %v", r, err)
	}
	s.Token = "other"
	if _, err := s.Receipt(t.Context()); err == nil {
		t.Error("the receipt of another job is taken")
	}
}

func TestNothingIsNamedUnlessAllIsThere(t *testing.T) {
	s := newSpec(t, 2)
	if err := finished(t, s, []Done{part(t, &s, 1)}); err == nil || !strings.Contains(err.Error(), "part 0 of 2 has not come") {
		t.Errorf("a missing part: error %v", err)
	}
	lost := []Done{part(t, &s, 0), part(t, &s, 1)}
	if err := os.Remove(filepath.Join(s.Out, lost[1].Rows)); err != nil {
		t.Fatal(err)
	}
	if err := finished(t, s, lost); err == nil || !strings.Contains(err.Error(), "has vanished") {
		t.Errorf("a lost file: error %v", err)
	}
	torn := []Done{part(t, &s, 0), part(t, &s, 1)}
	if err := os.Truncate(filepath.Join(s.Out, torn[0].Rows), 1); err != nil {
		t.Fatal(err)
	}
	if err := finished(t, s, torn); err == nil || !strings.Contains(err.Error(), "has 1 bytes, it was written with 3") {
		t.Errorf("a torn file: error %v", err)
	}
	if got := names(t, s); strings.Contains(got, ReceiptName) {
		t.Errorf("files %s", got)
	}
}

func TestPlanTravels(t *testing.T) {
	s := newSpec(t, 2)
	want := []cut.Chunk{{Part: 0, Name: "a", URL: "b", Of: 1, To: 7}, {Part: 1, File: 1, Name: "c", Of: 1}}
	if err := s.WritePlan(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	got, err := s.readPlan(t.Context())
	if err != nil || len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %+v, error %v", got, err)
	}
	s.Out = t.TempDir()
	if _, err := s.readPlan(t.Context()); err == nil || !strings.Contains(err.Error(), "workers must reach the output folder") {
		t.Errorf("another folder: error %v", err)
	}
}
