package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
)

// A pending set has its runs under way.
type pending struct {
	set
	runs []*run  // by fold
	errs []error // by fold
	done sync.WaitGroup
}

// start begins all runs of all sets, a few at once and in order.
func start(ctx context.Context, sets []set, withDev bool, jobs int) []*pending {
	type job struct {
		*pending
		fold int
	}
	var list []*pending
	var queue []job
	for _, s := range sets {
		p := &pending{set: s, runs: make([]*run, s.runs()), errs: make([]error, s.runs())}
		p.done.Add(s.runs())
		list = append(list, p)
		for fold := range s.runs() {
			queue = append(queue, job{p, fold})
		}
	}
	todo := make(chan job, len(queue))
	for _, j := range queue {
		todo <- j
	}
	close(todo)
	for range min(jobs, len(queue)) {
		go func() {
			for j := range todo {
				j.runs[j.fold], j.errs[j.fold] = runApart(ctx, j.set, j.fold, withDev)
				j.done.Done()
			}
		}()
	}
	return list
}

// wait returns the runs of the set by fold, or the first error of any.
func (p *pending) wait() ([]*run, error) {
	p.done.Wait()
	for fold, err := range p.errs {
		if err != nil {
			return nil, fmt.Errorf("%s, run %d of %d: %w", p.name, fold+1, len(p.errs), err)
		}
	}
	return p.runs, nil
}

// runApart trains and tests in a new process of this program.
func runApart(ctx context.Context, s set, fold int, withDev bool) (*run, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{"run-set", "--fold", strconv.Itoa(fold)}
	if withDev {
		args = append(args, "--with-dev")
	}
	var out, problem bytes.Buffer
	cmd := exec.CommandContext(ctx, program, append(args, "--", s.dir)...)
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: %s", err, strings.TrimPrefix(strings.TrimSpace(problem.String()), "accuracy: "))
	}
	r := new(run)
	if err := json.Unmarshal(out.Bytes(), r); err != nil {
		return nil, fmt.Errorf("answers of the run: %w", err)
	}
	return r, nil
}
