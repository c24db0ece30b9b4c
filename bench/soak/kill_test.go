package main

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/parley-nlp/parley/internal/load"
)

// Attempts count as those of a kill only if they were in flight on that server
// then.
func TestStrays(t *testing.T) {
	at := time.Now()
	broken := errors.New("broken")
	attempt := func(address string, began, ended time.Duration, err error) load.Attempt {
		return load.Attempt{Address: address, Began: at.Add(began), Ended: at.Add(ended), Err: err}
	}
	for _, row := range []struct {
		name     string
		attempts []load.Attempt
		failure  *load.Failure
		strays   int
		hit      int
		retried  int
	}{
		{"in flight and retried", []load.Attempt{attempt("a", -1, 1, broken), attempt("b", 2, 3, nil)}, nil, 0, 1, 1},
		{"in flight and lost", []load.Attempt{attempt("a", -1, 1, broken)}, &load.Failure{}, 0, 1, 0},
		{"in flight and answered", []load.Attempt{attempt("a", -1, 1, nil)}, nil, 0, 0, 0},
		{"another server", []load.Attempt{attempt("b", -1, 1, broken), attempt("a", 2, 3, nil)}, nil, 1, 0, 0},
		{"ended before", []load.Attempt{attempt("a", -2, -1, broken), attempt("b", 2, 3, nil)}, nil, 1, 0, 0},
		{"long after", []load.Attempt{attempt("a", time.Second+notice+1, 2*time.Second, broken), attempt("b", 2, 3, nil)}, nil, 1, 0, 0},
		{"never sent", []load.Attempt{attempt("", 1, 2, broken), attempt("b", 2, 3, nil)}, nil, 0, 0, 0},
	} {
		p := &killPhase{sig: syscall.SIGKILL, killings: []*killing{{address: "a", at: at, gone: at.Add(time.Second)}}}
		p.watch(load.Call{Attempts: row.attempts, Failure: row.failure})
		if len(p.strays) != row.strays || p.hit != row.hit || p.retried != row.retried {
			t.Errorf("%s: strays %q, %d hit, %d retried", row.name, p.strays, p.hit, p.retried)
		}
	}
}
