package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/alecthomas/kong"
)

// A config is the flags of a configuration file, by their names.
type config map[string]any

// configFile reads a configuration file for kong.
func configFile(r io.Reader) (kong.Resolver, error) {
	d := json.NewDecoder(r)
	d.UseNumber()
	var c config
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("configuration file: want one JSON object: %w", err)
	}
	return c, nil
}

// Resolve returns the value of a flag, unless a variable sets it.
func (c config) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	v, ok := c[flag.Name]
	if !ok {
		return nil, nil
	}
	if n, ok := v.(json.Number); ok {
		return n.String(), nil
	}
	return v, nil
}

// Validate refuses names that are no flag of any command: a misspelt limit
// must not go unnoticed.
func (c config) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, node := range append(slices.Clone(app.Children), app.Node) {
		for _, f := range node.Flags {
			known[f.Name] = true
		}
	}
	var unknown []string
	for name := range c {
		if !known[name] {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return fmt.Errorf("configuration file: no command has a flag %q", unknown[0])
	}
	return nil
}
