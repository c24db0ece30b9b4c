package score

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/parley-nlp/parley/client"
)

// A pin holds the revision that answers a run. The first call goes to whatever
// the server has live, alone; what has answered it is asked by name from then
// on, so that a swap in the middle does not mix two revisions.
type pin struct {
	client *client.Client // asks for what is live
	turn   chan struct{}  // holds one token: the right to make the first call

	mu   sync.Mutex
	name string // models/NAME/revisions/ID; "" until there is an answer
	want string // id that the first answer must come from; "" for any
}

func newPin(c *client.Client) *pin {
	p := &pin{client: c, turn: make(chan struct{}, 1)}
	p.turn <- struct{}{}
	return p
}

// get returns the pinned revision's name, "" when there is none.
func (p *pin) get() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.name
}

// set pins a revision by its name.
func (p *pin) set(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.name = name
}

// drop unpins a revision that is gone, unless another one is pinned by now.
func (p *pin) drop(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.name == name {
		p.name, p.want = "", ""
	}
}

// call calls ask with a client of the pinned revision and returns its name. The
// first call is made alone and pins what answers.
func (p *pin) call(ctx context.Context, ask func(*client.Client) ([]client.Result, error)) (results []client.Result, pinned string, err error) {
	if pinned = p.get(); pinned == "" {
		select {
		case <-p.turn:
			defer func() { p.turn <- struct{}{} }()
		case <-ctx.Done():
			return nil, "", ctx.Err()
		}
		pinned = p.get()
	}
	if pinned != "" {
		results, err = ask(p.client.ForModel(pinned))
		return results, pinned, err
	}
	if results, err = ask(p.client); err != nil {
		return nil, "", err
	}
	return results, "", p.first(results)
}

// first pins the revision that gave results: none when no text was sent.
func (p *pin) first(results []client.Result) error {
	for _, r := range results {
		if r.Revision == "" {
			continue
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.want != "" && RevisionID(r.Revision) != p.want {
			return fmt.Errorf("%w: %s answers, the run was begun with %s", ErrRevision, r.Revision, p.want)
		}
		p.name = r.Revision
		return nil
	}
	return nil
}

// RevisionID is the id in the name of a revision: the last part of models/NAME/revisions/ID.
func RevisionID(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
