package main

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

func TestVerdict(t *testing.T) {
	var out bytes.Buffer
	r := &report{out: &out}
	if err := r.verdict(); err == nil {
		t.Error("no promise passed")
	}
	r.promise(true, "one", "%d", 1)
	if err := r.verdict(); err != nil {
		t.Errorf("a kept promise: %v", err)
	}
	r.promise(false, "two", "%d", 2)
	if err := r.verdict(); err == nil || err.Error() != "FAIL: 1 of 2 promises were broken" {
		t.Errorf("a broken promise: %v", err)
	}
	if want := "PASS  one                                1\n\nPASS: 1 promises were kept\nFAIL  two                                2\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestP99(t *testing.T) {
	var list []time.Duration
	if got := p99(list); got != 0 {
		t.Errorf("of nothing %d", got)
	}
	for i := range 1000 {
		list = append(list, time.Duration(1000-i))
	}
	if got := p99(list); got != 990 {
		t.Errorf("of 1 to 1000: %d", got)
	}
	if got := p99(slices.Clone(list[:1])); got != list[0] {
		t.Errorf("of one: %d", got)
	}
}
