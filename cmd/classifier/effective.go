package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// A configCmd is "classifier config".
type configCmd struct {
	Serve configServeCmd `cmd:"" help:"Print the configuration of serve: flags, variables, configuration file and defaults put together, as JSON that --config reads."`
}

// A configServeCmd is "classifier config serve".
type configServeCmd struct{ serveCmd }

// Run prints the configuration.
func (c *configServeCmd) Run(e *env, parsed *kong.Context) error {
	_, err := fmt.Fprintf(e.stdout, "%s\n", effective(parsed))
	return err
}

// sourcesKey is the member of a configuration that tells where each value is
// from. A configuration file may have it, and it means nothing there.
const sourcesKey = "sources"

// secretTag marks flags whose values are never shown.
const secretTag = "secret"

// effective returns the flags of the command line's command as a configuration
// file, and the source of each. Flags that are not set are left out, and so are
// the values of secret ones and of URLs with a password.
func effective(ctx *kong.Context) []byte {
	command := ctx.Selected()
	values, sources := map[string]any{}, map[string]any{}
	for _, flag := range command.Flags {
		source := sourceOf(ctx, flag)
		value, set := shown(flag.Target)
		switch {
		case !set, source == "default" && !flag.HasDefault && flag.Target.IsZero():
		case flag.Tag.Has(secretTag), hasPassword(value):
			sources[flag.Name] = source + ", hidden"
		default:
			values[flag.Name], sources[flag.Name] = value, source
		}
	}
	b, err := json.MarshalIndent(map[string]any{command.Name: values, sourcesKey: sources}, "", "  ")
	if err != nil {
		panic(err) // shown returns nothing else than JSON knows
	}
	return b
}

// sourceOf says where the value of a flag is from.
func sourceOf(ctx *kong.Context, flag *kong.Flag) string {
	by := func(resolved bool) bool {
		return slices.ContainsFunc(ctx.Path, func(p *kong.Path) bool {
			return p.Flag != nil && p.Flag.Value == flag.Value && p.Resolved == resolved
		})
	}
	if by(false) {
		return "flag"
	}
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return "variable " + name
		}
	}
	if by(true) {
		return "file"
	}
	return "default"
}

// shown returns a flag's value as a configuration file has it, and whether it is
// set.
func shown(v reflect.Value) (any, bool) {
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil():
		return nil, false
	case v.Kind() == reflect.Pointer:
		return shown(v.Elem())
	case v.Kind() == reflect.String && v.Len() == 0, v.Kind() == reflect.Slice && v.Len() == 0:
		return nil, false
	}
	if s, ok := v.Interface().(fmt.Stringer); ok { // a duration, for one
		return s.String(), true
	}
	return v.Interface(), true
}

// hasPassword reports whether a value is a URL with a password, or a list with
// such.
func hasPassword(value any) bool {
	switch v := value.(type) {
	case string:
		if !strings.Contains(v, "@") && !strings.Contains(v, "password=") {
			return false
		}
		u, err := url.Parse(v)
		return err != nil || u.User != nil || u.Query().Has("password") || u.Query().Has("sslpassword")
	case []string:
		return slices.ContainsFunc(v, func(s string) bool { return hasPassword(s) })
	}
	return false
}
