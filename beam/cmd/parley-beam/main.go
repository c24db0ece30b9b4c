// Command parley-beam scores, counts and sums up texts on Apache Beam: in this
// process, or on a cluster of Flink, Spark or Dataflow.
//
// Output rows, counts and label shares are those of the command classifier, to
// the last byte. Beam's own flags (--runner, --endpoint, --environment_type, ...)
// go with any command. Exit codes: 0 done, 1 failed or rows without an answer, 2
// misused, 130 ended by a signal.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/parley-nlp/parley/internal/dataset"
)

// A cli is the command line as a whole.
type cli struct {
	Score      scoreCmd      `cmd:"" help:"Classify every row of files into a folder of files: the rows of classifier score."`
	Count      countCmd      `cmd:"" help:"Count labelled files exactly, for classifier train --from-counts."`
	Prevalence prevalenceCmd `cmd:"" help:"Write the label shares of the rows of files, adjusted for the classifier's errors: those of classifier score --summary."`
	Prism      prismCmd      `cmd:"" help:"Run jobs that are sent to this process, by Beam's runner Prism, for this machine alone."`
	WorkerPool poolCmd       `cmd:"" help:"Start workers for runners that ask for them (--environment_type=EXTERNAL)."`
}

const description = `Scoring on Apache Beam, with the bytes of classifier.

Flags of Beam are taken too: --runner (prism, flink, spark, universal; default:
prism in this process), --endpoint, --environment_type, --environment_config,
--parallelism, and the others that "parley-beam beam-flags" lists.`

// An env is what a command works with.
type env struct {
	ctx    context.Context
	stderr io.Writer
}

func main() {
	if isBoot(os.Args[1:]) {
		b, err := parseBoot(os.Args[1:])
		if err == nil {
			err = b.run()
		}
		fmt.Fprintf(os.Stderr, "parley-beam: no worker: %v\n", err)
		os.Exit(1)
	}
	own, beams := split(os.Args[1:])
	if len(own) == 1 && own[0] == "beam-flags" {
		flag.CommandLine.SetOutput(os.Stdout)
		flag.PrintDefaults()
		return
	}
	if err := flag.CommandLine.Parse(beams); err != nil {
		os.Exit(2) // it has said why
	}
	if isWorker() {
		leaveWithRunner()
	}
	beam.Init() // does not return in a worker
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := (&env{ctx, os.Stderr}).run(own)
	stop()
	os.Exit(code)
}

// split parts the flags that Beam and its runners define from the rest.
func split(args []string) (own, beams []string) {
	for i := 0; i < len(args); i++ {
		name, _, hasValue := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		f := flag.Lookup(name)
		if !strings.HasPrefix(args[i], "-") || f == nil {
			own = append(own, args[i])
			continue
		}
		beams = append(beams, args[i])
		b, ok := f.Value.(interface{ IsBoolFlag() bool })
		if !hasValue && !(ok && b.IsBoolFlag()) && i+1 < len(args) {
			i++
			beams = append(beams, args[i])
		}
	}
	return own, beams
}

// exit carries the exit code that kong asks for.
type exit int

// run executes the command line and returns the exit code.
func (e *env) run(args []string) (code int) {
	var c cli
	parser, err := kong.New(&c, kong.Name("parley-beam"), kong.Description(description), kong.Writers(os.Stdout, e.stderr),
		kong.Exit(func(code int) { panic(exit(code)) }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
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
	return e.exitCode(ctx.Run(e))
}

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
	if usage, ok := errors.AsType[usageError](err); ok {
		return e.misused(usage)
	}
	if e.ctx.Err() != nil {
		fmt.Fprintln(e.stderr, "parley-beam: interrupted")
		return interrupted
	}
	fmt.Fprintf(e.stderr, "parley-beam: %s\n", reason(err))
	if missing, ok := errors.AsType[*dataset.ColumnError](err); ok && len(missing.Hint()) > 0 {
		fmt.Fprintf(e.stderr, "try: %s\n", strings.Join(missing.Hint(), " "))
	}
	return 1
}

func (e *env) misused(err error) int {
	fmt.Fprintf(e.stderr, "parley-beam: %v\n", err)
	fmt.Fprintln(e.stderr, `parley-beam: "parley-beam --help" lists the commands, "parley-beam COMMAND --help" their flags`)
	return 2
}
