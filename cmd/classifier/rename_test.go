package main

import (
	"context"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/model/modeltest"
)

func TestCutLabel(t *testing.T) {
	labels := []string{"a", "a=b", "été"}
	for _, c := range []struct {
		pair, label, name string
		found             bool
	}{
		{"a=c", "a", "c", true},
		{"a=", "a", "", true},
		{"a=c=d", "a", "c=d", true},
		{"a=b=c", "a=b", "c", true},
		{"a=b", "a", "b", true},
		{"été=summer", "été", "summer", true},
		{"x=y=z", "x", "y=z", true}, // no label: for an error that names it
		{"a", "a", "", false},
	} {
		label, name, found := cutLabel(c.pair, labels)
		if label != c.label || found != c.found || name != c.name {
			t.Errorf("%q: got %q, %q, %v, want %q, %q, %v", c.pair, label, name, found, c.label, c.name, c.found)
		}
	}
}

// With a model and with a server, people read names and programs labels.
func TestClassifyShowsNames(t *testing.T) {
	m, err := modeltest.Stance(t).Rename("stance", map[string]string{"con": "Against it", "pro": "In favour"})
	if err != nil {
		t.Fatal(err)
	}
	path := modelFile(t, m)
	addr, stop, err := serveDemo(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	end := "1 of 1 words known, revision " + m.Revision()[:12] + "\n"
	for _, who := range [][]string{{"-m", path}, {"--addr", addr}} {
		args := append([]string{"classify"}, who...)
		code, out, problems := command(t, "great", args...)
		want := "stance: In favour\n  In favour              0.982\n  Against it             0.018\n" +
			"  90% label set: In favour\n  weights: those of all targets; --target names one\n  evidence for In favour: great +2.00\n" + end
		if code != 0 || out != want || problems != "" {
			t.Errorf("%q: exit code %d, errors %q, got\n%s\nwant\n%s", args, code, problems, out, want)
		}
		args = append(args, "--min-probability", "1")
		if _, out, _ := command(t, "great", args...); !strings.HasPrefix(out, "stance: no answer: LOW_CONFIDENCE\n  In favour ") {
			t.Errorf("%q: got\n%s", args, out)
		}
		args = append(args, "--json")
		if code, out, _ := command(t, "great", args...); code != 0 || !strings.Contains(out, `"label":"pro"`) || strings.Contains(out, "favour") {
			t.Errorf("%q: exit code %d, got %s, want labels", args, code, out)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
