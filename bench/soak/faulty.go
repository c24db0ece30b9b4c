package main

import (
	"os"
	"strings"
	"time"
)

// faulty is the second part: the alias moves to a bad revision, then to a good
// one, and so on. What answered goes on answering in the face of a bad one.
func (p *swapping) faulty() error {
	w, c := p.w, p.cmd
	if c.Faults == 0 {
		return nil
	}
	w.title("%d bad revisions among %d good ones, a move every %s, at %.0f calls/s", c.Faults, c.Faults, c.Every, p.rate)
	calls := p.begin()
	defer calls.end()
	var bad []string
	for i := range c.Faults {
		tick := time.Now()
		if _, err := p.next(); err != nil {
			return err
		}
		w.sleep(c.Every - time.Since(tick))
		id, err := p.fault(faults[i%len(faults)])
		if err != nil {
			return err
		}
		if id != "" {
			bad = append(bad, id)
		}
	}
	r, err := calls.end()
	if err != nil {
		return err
	}
	p.tellLoad(r)
	w.promise(r.Failed == 0 && r.Answered > 0, "no call failed", "%d of %d", r.Failed, r.Answered+r.Failed)
	w.promise(len(p.wrong) == 0, "the old revision answers throughout", "%d answers by another %q", len(p.wrong), p.wrong)
	return p.tellAlarms(bad)
}

// fault makes a revision, does something to it and points the alias there for a
// while. It returns the revision if it must never answer.
func (p *swapping) fault(f fault) (string, error) {
	id, err := p.shelf.publish()
	if err != nil {
		return "", err
	}
	current := p.shelf.good[p.shelf.at]
	p.expect(current)
	defer p.expect("")
	if f.name == "vanished store" { // it takes the alias with it: there is nothing to point to
		mend, err := f.make(p.shelf, id)
		if err != nil {
			return "", err
		}
		p.w.sleep(p.cmd.Every)
		return "", mend()
	}
	if _, err := f.make(p.shelf, id); err != nil {
		return "", err
	}
	if err := p.shelf.promote(id); err != nil {
		return "", err
	}
	p.w.sleep(p.cmd.Every)
	return id, nil
}

// tellAlarms wants every bad revision in the server's log, with an error.
func (p *swapping) tellAlarms(bad []string) error {
	b, err := os.ReadFile(p.server.log)
	if err != nil {
		return err
	}
	told := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		for _, id := range bad {
			if strings.Contains(line, `"level":"error"`) && strings.Contains(line, id) {
				told[id] = true
			}
		}
	}
	p.w.promise(len(told) == len(bad), "the server tells of each", "%d of %d bad revisions are in its log as errors", len(told), len(bad))
	return nil
}
