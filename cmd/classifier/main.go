// Command classifier trains, serves and uses text classifiers.
//
// It is the command line of Parley: see README.md for a first tour and
// "classifier COMMAND --help" for the flags of a command.
//
// What a command prints on standard output is data; standard error is for
// people. Exit codes: 0 done, 1 failed (for score also when rows could not be
// classified), 2 misused, 3 held back (retrain), 130 ended by a signal.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"google.golang.org/grpc/status"

	"github.com/parley-nlp/parley/internal/retrain"
	"github.com/parley-nlp/parley/internal/train"
)

// A cli is the command line as a whole.
type cli struct {
	ConfigFile kong.ConfigFlag `name:"config" placeholder:"FILE" help:"Read flags from a JSON object by command, as {\"serve\": {\"addr\": \"127.0.0.1:8080\"}}. Flags and variables win over it."`

	Train     trainCmd     `cmd:"" help:"Train a model on labelled files and report how good it is."`
	Eval      evalCmd      `cmd:"" help:"Judge a model, or two against each other, on labelled files that they were not trained on."`
	Classify  classifyCmd  `cmd:"" help:"Classify a text and show the evidence."`
	Score     scoreCmds    `cmd:"" help:"Classify every row of files."`
	Count     countCmds    `cmd:"" help:"Count labelled files for training; counts add up, and can forget."`
	Summarize summarizeCmd `cmd:"" help:"Write the label shares of rows that were scored, adjusted for the classifier's errors."`
	Serve     serveCmd     `cmd:"" help:"Serve classifications over gRPC."`
	Bench     benchCmd     `cmd:"" help:"Call servers as a stated load: latency, errors, retries."`
	Models    modelsCmd    `cmd:"" help:"Keep revisions of models in a store: publish, compare, promote, roll back."`
	Retrain   retrainCmd   `cmd:"" help:"Train on a ledger of labels, compare with the live revision, and promote what deserves it."`
	Labels    labelsCmd    `cmd:"" help:"Keep labels in a ledger: add, annotate, resolve, forget, export."`
	Key       keyCmd       `cmd:"" help:"Make a bearer key that may call a server."`
	Config    configCmd    `cmd:"" name:"config" help:"Print the configuration that a command would work with, without secrets."`
	Import    importCmd    `cmd:"" help:"Take over a model of the Go libraries navossoc/bayesian and jbrukh/bayesian, or answer as it does."`
	Rename    renameCmd    `cmd:"" help:"Give the labels of a model other names, without training it again."`
	Demo      demoCmd      `cmd:"" help:"Train on the built-in corpus, serve it, and classify an article."`
	Version   versionCmd   `cmd:"" help:"Print the versions of the program and of what it reads."`
}

const description = `Topic and stance classification that other services can trust.

Every flag can also be set by an environment variable, "serve --addr" by
CLASSIFIER_SERVE_ADDR, and by a configuration file.`

// defaultModel is the model file that is written when none is named.
const defaultModel = "classifier.model"

// defaults are those that the tags of flags cannot spell out.
var defaults = kong.Vars{
	"model":   defaultModel,
	"members": strconv.Itoa(train.Default().Members),
	"holdout": strconv.FormatFloat(retrain.DefaultShare, 'g', -1, 64),
	"budget":  strconv.FormatInt(train.DefaultBudget, 10),
}

// An env is what a command works with.
type env struct {
	ctx            context.Context
	args           []string // the command line, without the program's name
	stdin          io.Reader
	stdout, stderr io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	e := env{ctx, os.Args[1:], interruptible{ctx, os.Stdin}, os.Stdout, os.Stderr}
	os.Exit(e.run())
}

// An interruptible reader fails when its context ends, even in the middle of a
// read that waits.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i interruptible) Read(p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	buf := make([]byte, len(p)) // p belongs to the caller again once Read returns
	go func() {
		n, err := i.r.Read(buf)
		done <- result{n, err}
	}()
	select {
	case r := <-done:
		return copy(p, buf[:r.n]), r.err
	case <-i.ctx.Done():
		return 0, i.ctx.Err()
	}
}

// run executes the command line and returns the exit code.
func (e *env) run() (code int) {
	var c cli
	parser, err := kong.New(&c,
		kong.Name("classifier"),
		kong.Description(description),
		kong.Writers(e.stdout, e.stderr),
		defaults,
		kong.Exit(func(code int) { panic(exit(code)) }), // --help
		kong.PostBuild(nameVariables),
		kong.Configuration(configFile),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Help(helpOfDefault),
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
	ctx, err := parser.Parse(e.args)
	if err != nil {
		return e.misused(err)
	}
	return e.exitCode(ctx.Run(e))
}

// helpOfDefault is kong's help, where a command that does something by itself has
// the flags for that.
func helpOfDefault(o kong.HelpOptions, ctx *kong.Context) error {
	if node := ctx.Selected(); node != nil && node.DefaultCmd != nil {
		ctx.Path = append(ctx.Path, &kong.Path{Parent: node, Command: node.DefaultCmd})
	}
	return kong.DefaultHelpPrinter(o, ctx)
}

// nameVariables gives every flag a variable that names its command too, since
// two commands may mean different things by a flag of the same name.
func nameVariables(k *kong.Kong) error {
	name := func(flags []*kong.Flag, prefix string) {
		for _, f := range flags {
			v := prefix + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
			f.Envs = []string{v}
			f.Tag.Envs = f.Envs
		}
	}
	name(slices.DeleteFunc(slices.Clone(k.Model.Flags), func(f *kong.Flag) bool { return f.Name == "help" }), "CLASSIFIER_")
	for _, command := range k.Model.Children {
		for _, n := range append([]*kong.Node{command}, command.Children...) {
			name(n.Flags, "CLASSIFIER_"+strings.ToUpper(namesake(n).Name)+"_")
		}
	}
	return nil
}

// exit carries the exit code that kong asks for.
type exit int

// A usageError is one of the command line, found after parsing.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// interrupted is the exit code of a command that a signal ended, as shells
// count it.
const interrupted = 130

func (e *env) exitCode(err error) int {
	if err == nil {
		return 0
	}
	if asked, ok := errors.AsType[exitError](err); ok {
		return asked.code
	}
	if usage, ok := errors.AsType[usageError](err); ok {
		return e.misused(usage)
	}
	if e.ctx.Err() != nil {
		fmt.Fprintln(e.stderr, "classifier: interrupted")
		return interrupted
	}
	message := err.Error()
	if g, ok := errors.AsType[interface {
		error
		GRPCStatus() *status.Status
	}](err); ok { // without gRPC's own words around it
		message = fmt.Sprintf("%s: %s", g.GRPCStatus().Code(), g.GRPCStatus().Message())
	}
	fmt.Fprintf(e.stderr, "classifier: %s\n", message)
	return 1
}

func (e *env) misused(err error) int {
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
