package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/parley-nlp/parley/internal/ledger"
)

// A labelsConfirmCmd is "classifier labels confirm".
type labelsConfirmCmd struct {
	Seqs []int64 `arg:"" name:"seq" help:"Numbers of quarantined labels, as labels conflicts shows them."`
	annotatorFlag
}

// A confirmed is what became of a label that was to be confirmed.
type confirmed struct {
	Label    int64  `json:"label"`
	Seq      int64  `json:"seq,omitempty"` // the confirmation
	Existing bool   `json:"existing,omitempty"`
	Error    string `json:"error,omitempty"`
}

// Run confirms labels. Those that cannot be are an error after the others.
func (c *labelsConfirmCmd) Run(e *env, l *labelsCmd) error {
	who, err := c.name()
	if err != nil {
		return err
	}
	return l.with(e, func(led *ledger.Ledger) error {
		out, err := led.Confirm(e.ctx, "", c.Seqs, who)
		if err != nil {
			return err
		}
		list := make([]confirmed, len(out))
		var failed error
		for i, o := range out {
			list[i] = confirmed{Label: c.Seqs[i], Seq: o.Seq, Existing: o.Existing}
			if o.Err != nil {
				list[i].Error = o.Err.Error()
				failed = errors.Join(failed, fmt.Errorf("label %d: %w", c.Seqs[i], o.Err))
			}
		}
		err = l.write(e, list, func(w io.Writer) {
			for _, x := range list {
				if x.Error == "" {
					fmt.Fprintf(w, "label %d is confirmed (event %d)\n", x.Label, x.Seq)
				}
			}
		})
		return errors.Join(err, failed)
	})
}
