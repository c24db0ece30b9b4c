package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReaches: between the points of a curve, before its first and beyond its last.
func TestReaches(t *testing.T) {
	curve := []point{{labels: 20, macroF1: .2}, {labels: 40, macroF1: .4}, {labels: 60, macroF1: .35}, {labels: 80, macroF1: .6}}
	for _, c := range []struct{ want, labels float64 }{{.1, 10}, {.2, 20}, {.3, 30}, {.4, 40}, {.5, 72}, {.6, 80}, {.7, 81}} {
		if got := reaches(curve, c.want); math.Abs(got-c.labels) > 1e-9 {
			t.Errorf("%v is reached with %v labels, want %v", c.want, got, c.labels)
		}
	}
}

// TestBootstrap: the interval of a mean is about that of the normal distribution.
func TestBootstrap(t *testing.T) {
	curves := make([][]point, 100)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range curves {
		curves[i] = []point{{macroF1: 5 + rng.NormFloat64()}}
	}
	f := bootstrap(len(curves), meanOf(curves, 0, macroF1))
	if f.low >= f.mean || f.high <= f.mean || math.Abs(f.high-f.low-2*.196) > .08 {
		t.Errorf("%+v: want an interval of .392 around the mean", f)
	}
}

// TestNoise: the share of labels that are wrong is that asked for, and the texts are
// those of the run without noise.
func TestNoise(t *testing.T) {
	tasks, err := summitTasks("dev")
	if err != nil {
		t.Fatal(err)
	}
	plain, noisy := newTrial(&tasks[0], 3, 0), newTrial(&tasks[0], 3, .05)
	wrong := 0
	for text, label := range noisy.says {
		if plain.says[text] != label {
			wrong++
		}
	}
	if share := float64(wrong) / float64(len(noisy.says)); share < .03 || share > .07 || len(plain.says) != len(noisy.says) {
		t.Errorf("%.3f of the labels are wrong, want .05; %d and %d texts", share, len(plain.says), len(noisy.says))
	}
}

// TestRun measures a small set, which has a test part that must not be read.
func TestRun(t *testing.T) {
	dir, plots := filepath.Join(t.TempDir(), "small"), t.TempDir()
	writeSet(t, dir)
	var out, stderr bytes.Buffer
	args := []string{"--dir", dir, "--seeds", "3", "--batch", "10", "--chosen", "20", "--random", "40", "--noise", "0.1", "--svg", plots}
	if code := run(context.Background(), args, &out, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	again := bytes.Buffer{}
	if run(context.Background(), args, &again, &stderr); again.String() != out.String() {
		t.Error("the same command prints other figures")
	}
	for _, want := range []string{"## small, 10% of the labels wrong", "\n| 20 | ", "\n| 40 |  | "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	if svg, err := os.ReadFile(filepath.Join(plots, "small-10.svg")); err != nil || !bytes.Contains(svg, []byte("</svg>")) {
		t.Errorf("plot: %v, %d bytes", err, len(svg))
	}
}

func writeSet(t *testing.T, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	rng := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		topic := rng.IntN(3)
		var words []string
		for range 10 {
			words = append(words, string(rune('a'+topic))+string(rune('a'+rng.IntN(26)))+string(rune('a'+rng.IntN(3))))
		}
		if err := json.NewEncoder(z).Encode(map[string]string{"text": strings.Join(words, " "), "label": []string{"x", "y", "z"}[topic]}); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"train.jsonl.gz": b.Bytes(), "test.jsonl": []byte("this is never read")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMisuse(t *testing.T) {
	for _, args := range [][]string{{"--seeds", "1"}, {"--batch", "3"}, {"--chosen", "10"}, {"--random", "50"}, {"--noise", "1"}, {"--part", "train"}, {"x"}} {
		var out, stderr bytes.Buffer
		if code := run(context.Background(), args, &out, &stderr); code != 2 || stderr.Len() == 0 {
			t.Errorf("%q: exit code %d, %q", args, code, &stderr)
		}
	}
	var out, stderr bytes.Buffer
	if code := run(context.Background(), []string{"--dir", filepath.Join(t.TempDir(), "nosuch")}, &out, &stderr); code != 1 || !strings.Contains(stderr.String(), "nosuch") {
		t.Errorf("no folder: exit code %d, %q", code, &stderr)
	}
}
