// Command classifier trains, serves and uses text classifiers.
//
// It is the command line of Parley: see README.md for a first tour and
// "classifier COMMAND --help" for the flags of a command.
//
// What a command prints on standard output is data; standard error is for
// people. Exit codes: 0 done, 1 failed, 2 misused.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"google.golang.org/grpc/status"
)

// A cli is the command line as a whole.
type cli struct {
	Config kong.ConfigFlag `placeholder:"FILE" help:"Read flags from a JSON object, as {\"addr\": \"127.0.0.1:8080\"}. Flags and variables win over it."`

	Train    trainCmd    `cmd:"" help:"Train a model on labelled files and report how good it is."`
	Eval     evalCmd     `cmd:"" help:"Judge a model on labelled files that it was not trained on."`
	Classify classifyCmd `cmd:"" help:"Classify a text and show the evidence."`
	Score    scoreCmd    `cmd:"" help:"Classify every row of files, as JSON lines."`
	Serve    serveCmd    `cmd:"" help:"Serve classifications over gRPC."`
	Demo     demoCmd     `cmd:"" help:"Train on the built-in corpus, serve it, and classify an article."`
	Version  versionCmd  `cmd:"" help:"Print the versions of the program and of what it reads."`
}

const description = `Topic and stance classification that other services can trust.

Every flag can also be set by an environment variable: --addr by CLASSIFIER_ADDR.`

// An env is what a command works with.
type env struct {
	ctx            context.Context
	stdin          io.Reader
	stdout, stderr io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(env{ctx, os.Stdin, os.Stdout, os.Stderr}, os.Args[1:]))
}

// run executes a command line and returns its exit code.
func run(e env, args []string) (code int) {
	var c cli
	parser, err := kong.New(&c,
		kong.Name("classifier"),
		kong.Description(description),
		kong.Writers(e.stdout, e.stderr),
		kong.Exit(func(code int) { panic(exit(code)) }), // --help
		kong.DefaultEnvars("CLASSIFIER"),
		kong.Configuration(configFile),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		panic(err) // the struct tags above are wrong
	}
	defer func() {
		if p := recover(); p != nil {
			asked, ok := p.(exit)
			if !ok {
				panic(p)
			}
			code = int(asked)
		}
	}()
	ctx, err := parser.Parse(args)
	if err != nil {
		return e.misused(err)
	}
	return e.exitCode(ctx.Run(&e))
}

// exit carries the exit code that kong asks for.
type exit int

// errUsage marks an error as one of the command line, found after parsing.
var errUsage = errors.New("misused")

func usagef(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errUsage}, args...)...)
}

func (e env) exitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		return e.misused(err)
	}
	message := err.Error()
	if s, ok := status.FromError(err); ok { // without gRPC's own words around it
		message = fmt.Sprintf("the server says %s: %s", s.Code(), s.Message())
	}
	fmt.Fprintf(e.stderr, "classifier: %s\n", message)
	return 1
}

func (e env) misused(err error) int {
	fmt.Fprintf(e.stderr, "classifier: %v\n", err)
	fmt.Fprintln(e.stderr, `classifier: "classifier --help" lists the commands, "classifier COMMAND --help" their flags`)
	return 2
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
