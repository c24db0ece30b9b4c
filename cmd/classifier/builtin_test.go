//go:build !race

// The race detector makes this training ten times slower and has nothing to find
// in it that internal/train's own tests do not show: .ci/run runs it without.

package main

import (
	"context"
	"testing"

	"github.com/parley-nlp/parley/internal/train"
)

// The built-in model is what "classifier train --preset long data" gives, to the
// byte.
func TestBuiltinIsTheDefault(t *testing.T) {
	set, err := builtinSet()
	if err != nil {
		t.Fatal(err)
	}
	revisions := map[string]string{}
	for name, cfg := range map[string]train.Config{"built in": builtinConfig(), "whole search": builtinSearch()} {
		m, _, err := train.Train(context.Background(), set.Examples, set.Heads, cfg)
		if err != nil {
			t.Fatal(err)
		}
		revisions[name] = m.Revision()
	}
	if revisions["built in"] != revisions["whole search"] {
		t.Errorf("revision %s, want %s: let builtinConfig try what the whole search chooses", revisions["built in"], revisions["whole search"])
	}
}
