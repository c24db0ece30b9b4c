package main

import (
	"fmt"
	"io"
	"time"

	"github.com/parley-nlp/parley/internal/store"
)

// A modelsGCCmd is "classifier models gc".
type modelsGCCmd struct {
	Keep      int           `default:"10" placeholder:"N" help:"Newest revisions to keep, whatever points to them. Default: ${default}."`
	KeepMoves int           `default:"10" placeholder:"N" help:"Moves to keep of each alias, with the revisions that they name. Default: ${default}."`
	OlderThan time.Duration `default:"168h" placeholder:"DURATION" help:"Remove only what is older; at least 1h. Default: ${default}."`
	DryRun    bool          `help:"Only tell what would be removed."`
}

// Run removes what nothing keeps.
func (c *modelsGCCmd) Run(e *env, m *modelsCmd) error {
	return m.with(e, func(s *store.Store) error {
		r, err := s.GC(e.ctx, m.name(), store.Keep{Newest: c.Keep, Moves: c.KeepMoves, Age: c.OlderThan}, c.DryRun)
		if err != nil {
			return err
		}
		return m.write(e, r, func(w io.Writer) {
			verb := "removed"
			if c.DryRun {
				verb = "would remove"
			}
			for _, id := range r.Revisions {
				fmt.Fprintf(w, "%s revision %s\n", verb, short(id))
			}
			for _, id := range r.Files {
				fmt.Fprintf(w, "%s the file of %s, which was never published whole\n", verb, short(id))
			}
			fmt.Fprintf(w, "%s %d revisions, %d lone files, %d temporary files, %d log entries: %d bytes\n",
				verb, len(r.Revisions), len(r.Files), r.Temporary, r.Entries, r.Bytes)
		})
	})
}
