package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/google/renameio/v2"

	"github.com/parley-nlp/parley/internal/guard"
	"github.com/parley-nlp/parley/internal/reload"
)

// A keyCmd is "classifier key".
type keyCmd struct {
	Name     string `arg:"" help:"Who will call with the key: a name for the log."`
	Role     string `required:"" placeholder:"ROLE" help:"What the caller may do: scorer, reader, operator; labeler, relay, auditor, curator, eraser; or admin; several are joined by +."`
	KeysFile string `required:"" placeholder:"FILE" help:"File of \"serve --keys-file\" to add the key's hash to; it is made if need be."`
}

// Run adds a key to the file and prints the key, which is nowhere else.
func (c *keyCmd) Run(e *env) error {
	role, err := guard.ParseRole(c.Role)
	if err != nil {
		return usagef("--role: %w", err)
	}
	secret, line, err := guard.NewKey(c.Name, role)
	if err != nil {
		return usagef("%w", err)
	}
	contents, err := os.ReadFile(c.KeysFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if n := len(contents); n > 0 && contents[n-1] != '\n' {
		contents = append(contents, '\n')
	}
	contents = append(contents, line...)
	if len(contents) > reload.MaxFileBytes {
		return fmt.Errorf("%s: the file would have more than %d bytes, the limit", c.KeysFile, reload.MaxFileBytes)
	}
	if err := guard.CheckKeys(c.KeysFile, contents); err != nil {
		return err
	}
	if err := renameio.WriteFile(c.KeysFile, contents, 0o600); err != nil {
		return fmt.Errorf("%s: %w", c.KeysFile, err)
	}
	_, err = fmt.Fprintln(e.stdout, secret)
	return err
}
