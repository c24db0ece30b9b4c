package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/model/modeltest"
)

// modelFile writes m to a file of the test.
func modelFile(t *testing.T, m *model.Model) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stance.model")
	if err := os.WriteFile(path, m.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// command runs a command line and returns its exit code and what it wrote.
func command(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	e := env{t.Context(), args, strings.NewReader(stdin), &out, &problems}
	code = e.run()
	return code, out.String(), problems.String()
}

// With a model and with a server, the answer says whose weights it comes from.
func TestClassifyAboutATarget(t *testing.T) {
	m := modeltest.Stance(t)
	path := modelFile(t, m)
	addr, stop, err := serveDemo(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	end := "1 of 1 words known, revision " + m.Revision()[:12] + "\n"
	for _, test := range []struct {
		text string
		args []string
		want string
	}{
		{"great", nil, "stance: pro\n  pro                    0.982\n  con                    0.018\n" +
			"  90% label set: pro\n  weights: those of all targets; --target names one\n  evidence for pro: great +2.00\n" + end},
		{"great", []string{"--target", "the\nrain"}, "stance: pro\n  pro                    0.982\n  con                    0.018\n" +
			"  90% label set: pro\n  weights: those of all targets; \"the rain\" has none of its own\n  evidence for pro: great +2.00\n" + end},
		{"great", []string{"--target", "Oil price"}, "stance: con\n  con                    0.881\n  pro                    0.119\n" +
			"  90% label set: con\n  weights: those of \"Oil price\"\n  evidence for con: great +2.00\n" + end},
		{"great", []string{"--target", "oil price", "--min-probability", "0.9", "--top", "1", "--evidence", "0"},
			"stance: no answer: LOW_CONFIDENCE\n  con                    0.881\n  90% label set: con\n  weights: those of \"oil price\"\n" + end},
	} {
		for _, who := range [][]string{{"-m", path}, {"--addr", addr}} {
			args := append(append([]string{"classify"}, who...), test.args...)
			code, out, problems := command(t, test.text, args...)
			if code != 0 || out != test.want || problems != "" {
				t.Errorf("%q: exit code %d, errors %q, got\n%s\nwant\n%s", args, code, problems, out, test.want)
			}
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestClassifyTargetAsJSON(t *testing.T) {
	m := modeltest.Stance(t)
	code, out, problems := command(t, "great", "classify", "-m", modelFile(t, m), "--target", "oil price", "--top=1", "--json")
	want := `{"id":"","predictions":{"stance":{"label":"con","probability":0.880797,"decision":"LABELED",` +
		`"scores":[{"label":"con","probability":0.880797}],"target_weights":"PER_TARGET","label_set":["con"]}},` +
		`"input":{"tokens":1,"known_tokens":1},"revision":"` + m.Revision() + `"}` + "\n"
	if code != 0 || out != want || problems != "" {
		t.Errorf("exit code %d, errors %q, got %s, want %s", code, problems, out, want)
	}
}

// The rows of a file have targets of their own.
func TestScoreRowsAboutTargets(t *testing.T) {
	path := modelFile(t, modeltest.Stance(t))
	const file = "whom,text\noil price,great\n,great\n"
	code, out, problems := command(t, file, "score", "-m", path, "--format", "csv", "--target-field", "whom")
	lines := strings.Split(out, "\n")
	if code != 0 || problems != "classifier: 2 rows\n  stance: con 1, pro 1\n" || len(lines) != 3 {
		t.Fatalf("exit code %d, standard error %q, got %s, want two lines", code, problems, out)
	}
	for i, want := range []string{`"target_weights":"PER_TARGET"`, `"target_weights":"POOLED"`} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("got %s, want %s", lines[i], want)
		}
	}
}

func TestClassifyLongTarget(t *testing.T) {
	path := modelFile(t, modeltest.Stance(t))
	if code, _, problems := command(t, "great", "classify", "-m", path, "--target", strings.Repeat("t", 256)); code != 0 {
		t.Errorf("256 bytes: exit code %d, errors %q", code, problems)
	}
	code, out, problems := command(t, "great", "classify", "-m", path, "--target", strings.Repeat("t", 257))
	if want := "classifier: --target has 257 bytes, the limit is 256\n"; code != 2 || out != "" || !strings.HasPrefix(problems, want) {
		t.Errorf("257 bytes: exit code %d, got %q and errors %q, want %q", code, out, problems, want)
	}
}
