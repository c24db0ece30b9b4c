package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/alecthomas/kong"
)

// A config is the flags of a configuration file, by command and name.
type config map[string]map[string]any

// configFile reads a configuration file for kong.
func configFile(r io.Reader) (kong.Resolver, error) {
	d := json.NewDecoder(r)
	d.UseNumber()
	var c config
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("configuration file: want one JSON object with an object for each command: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("configuration file: something follows the JSON object")
	}
	return c, nil
}

// Resolve returns the value of a flag, unless a variable sets it.
func (c config) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	command := ctx.Selected()
	if command == nil {
		return nil, nil
	}
	for command.Parent != nil && command.Parent.Type == kong.CommandNode {
		command = command.Parent // a command's commands share its flags
	}
	v, ok := c[command.Name][flag.Name]
	if !ok {
		return nil, nil
	}
	if n, ok := v.(json.Number); ok {
		return n.String(), nil
	}
	return v, nil
}

// Validate refuses names that are no command or no flag of it: a misspelt limit
// must not go unnoticed.
func (c config) Validate(app *kong.Application) error {
	for _, name := range slices.Sorted(maps.Keys(c)) {
		i := slices.IndexFunc(app.Children, func(n *kong.Node) bool { return n.Name == name })
		if i < 0 {
			return fmt.Errorf("configuration file: there is no command %q", name)
		}
		for _, flag := range slices.Sorted(maps.Keys(c[name])) {
			if !hasFlag(app.Children[i], flag) {
				return fmt.Errorf("configuration file: the command %s has no flag %q", name, flag)
			}
		}
	}
	return nil
}

// hasFlag reports whether a command, or one below it, has a flag.
func hasFlag(command *kong.Node, name string) bool {
	return slices.ContainsFunc(command.Flags, func(f *kong.Flag) bool { return f.Name == name }) ||
		slices.ContainsFunc(command.Children, func(n *kong.Node) bool { return hasFlag(n, name) })
}
