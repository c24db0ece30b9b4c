package serve

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/parley-nlp/parley/internal/store"
)

// Revisions says where a server's revisions come from and which it holds in
// memory: the live one always, others as far as MemoryBytes goes.
type Revisions struct {
	// Open opens the store; nil: there is none, and Use says which model answers.
	// As long as it fails it is called again.
	Open func(context.Context) (*store.Store, error)
	// Alias is the alias that says which revision is live; "live".
	Alias string
	// ShadowAlias is that of the shadow revision; none.
	ShadowAlias string
	// Pinned are the ids of revisions to hold whatever aliases say.
	Pinned []string
	// MemoryBytes is how much memory the revisions beside the live one may take
	// together; 1 GiB.
	MemoryBytes int64
	// Poll is the time between two looks at the aliases, give or take a fifth; 5 s.
	Poll time.Duration
	// MaxRetry is the longest time between two tries of what fails; a minute, or
	// Poll if that is longer. The first comes after Poll, each after twice the time
	// of the one before.
	MaxRetry time.Duration
	// Shadow says how the shadow revision is used.
	Shadow Shadow
}

var (
	aliasName  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	revisionID = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// withDefaults fills in the defaults and checks the rest.
func (c Revisions) withDefaults() (Revisions, error) {
	c.Alias = cmp.Or(c.Alias, liveAlias)
	c.MemoryBytes = cmp.Or(c.MemoryBytes, 1<<30)
	c.Poll = cmp.Or(c.Poll, 5*time.Second)
	c.MaxRetry = max(cmp.Or(c.MaxRetry, time.Minute), c.Poll)
	for _, alias := range []string{c.Alias, c.ShadowAlias} {
		if alias != "" && !aliasName.MatchString(alias) {
			return c, fmt.Errorf("alias %q: want a small letter, then at most 62 small letters, digits or hyphens", alias)
		}
	}
	bad := slices.IndexFunc(c.Pinned, func(id string) bool { return !revisionID.MatchString(id) })
	switch {
	case bad >= 0:
		return c, fmt.Errorf("pinned revision %q: want 64 hexadecimal digits", c.Pinned[bad])
	case c.Alias == c.ShadowAlias:
		return c, fmt.Errorf("alias %q cannot be live and shadow", c.Alias)
	case c.MemoryBytes < 0 || c.Poll < 0:
		return c, fmt.Errorf("%d bytes for revisions, poll time %s: want more than 0", c.MemoryBytes, c.Poll)
	}
	var err error
	c.Shadow, err = c.Shadow.withDefaults()
	return c, err
}
