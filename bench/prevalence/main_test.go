package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeSet writes rows of two labels whose words overlap.
func writeSet(t *testing.T, file string, rng *rand.Rand, n int) {
	t.Helper()
	words := map[string][]string{"good": strings.Fields("fine great nice well day film"), "bad": strings.Fields("poor awful dull ill day film")}
	var b bytes.Buffer
	for i := range n {
		label := []string{"good", "bad"}[i%2]
		var text []string
		for range 4 {
			of := words[label]
			if rng.IntN(3) == 0 {
				of = words[[]string{"good", "bad"}[rng.IntN(2)]]
			}
			text = append(text, of[rng.IntN(len(of))])
		}
		line, err := json.Marshal(map[string]string{"text": fmt.Sprint(strings.Join(text, " "), " ", i), "label": label})
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRun(t *testing.T) {
	dir, rng := t.TempDir(), rand.New(rand.NewPCG(1, 2))
	writeSet(t, filepath.Join(dir, "split", "train.jsonl"), rng, 600)
	writeSet(t, filepath.Join(dir, "split", "test.jsonl"), rng, 1200)
	writeSet(t, filepath.Join(dir, "whole", "all.jsonl"), rng, 3000)
	file := filepath.Join(dir, "figures.json")
	var out, errs bytes.Buffer
	if code := run(context.Background(), []string{"--dir", dir, "--draws", "100", "--rows", "200", "--json", file}, &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	for _, want := range []string{"| split | 2 | 1200 |", "| whole | 2 |", "| mean |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []result
	if err := json.Unmarshal(b, &list); err != nil || len(list) != 2 {
		t.Fatalf("%d results, error %v", len(list), err)
	}
	for _, r := range list {
		if e := r.Errors; e["mixture"] > e["answers"]/2 || r.Coverage.Source < .9 || r.Coverage.Rows < .9 || r.Audit.Coverage < .9 || r.Natural.InSource != 2 {
			t.Errorf("%+v", r)
		}
	}
}

func TestMisuse(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 2, "--dir"},
		{[]string{"--dir", dir, "--draws", "1001"}, 2, "--draws 1001"},
		{[]string{"--dir", dir, "--audited", "5"}, 2, "--audited 5"},
		{[]string{"--dir", dir}, 1, "want train.jsonl and test.jsonl, or all.jsonl"},
		{[]string{"--dir", filepath.Join(dir, "none")}, 1, "no such file"},
	} {
		var out, errs bytes.Buffer
		if code := run(context.Background(), c.args, &out, &errs); code != c.code || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%v: exit code %d, %q, want %d, %q", c.args, code, errs.String(), c.code, c.want)
		}
	}
}
