package main

import "testing"

func TestRenderSet(t *testing.T) {
	for _, test := range []struct {
		labels []string
		want   string
	}{
		{nil, "none is likely enough"},
		{[]string{"con"}, "con"},
		{[]string{"con", "pro"}, "con, pro"},
	} {
		if got := renderSet(test.labels); got != test.want {
			t.Errorf("%q: got %q, want %q", test.labels, got, test.want)
		}
	}
}

func TestRenderWeights(t *testing.T) {
	for _, test := range []struct{ weights, target, want string }{
		{"PER_TARGET", "oil", `those of "oil"`},
		{"POOLED", "", "those of all targets; --target names one"},
		{"POOLED", "rain", `those of all targets; "rain" has none of its own`},
	} {
		if got := renderWeights(test.weights, test.target); got != test.want {
			t.Errorf("%s, %q: got %q, want %q", test.weights, test.target, got, test.want)
		}
	}
}
