// Command compare measures how fast Parley is beside fastText, scikit-learn and
// plain baselines, on the same data, on this machine, in one session.
//
//	go run ./bench/compare
//	go run ./bench/compare --data SET --runs 3 --json report.json
//	go run ./bench/compare --train train.jsonl.gz --test test.jsonl --only parley,echo
//
// The peers are programs of Debian: packages fasttext and python3-sklearn. With
// --only they may be left out. The report goes to standard output in Markdown.
//
// # How it is measured
//
// Everything that is timed runs in a child process on one core (GOMAXPROCS=1,
// one thread), unless a line says otherwise; times are processor seconds of the
// child, user and system. The runs of all systems take turns, A B C A B C, and
// a ratio is the median of the ratios of the turns, with the least and the
// greatest of them.
//
//   - Classifying: lines in from a file, labels out to nowhere. The text is
//     copied until a run takes long enough, and a run over one line is
//     subtracted, so that starting up and loading do not count. Parley is
//     multinomial naive Bayes on binary values, as in training below; fastText
//     has learning rate 0.5 and 25 epochs (with characters 5), as its defaults
//     learn little from small data; scikit-learn is HashingVectorizer and
//     MultinomialNB with alpha 0.01.
//   - In one process: Classify beside strings.FieldsFuncSeq, which splits the
//     same texts and counts the words, and beside scoring as the library
//     navossoc/bayesian does it: for each word and class a look-up in a map and
//     a logarithm.
//   - Training: one pinned candidate, multinomial naive Bayes on binary words
//     1-2. "Weights only" has nothing held out; with evaluation there are five
//     folds, calibration, the keyword baseline and the learning curve. Parley's
//     and scikit-learn's times are those of the training in the process,
//     fastText's those of the process less a training on one line, since its
//     start and writing its model of 0.8 GB are not the point.
//   - A large model: 1,000,000 features and 15 labels, seeded, read and verified,
//     beside reading the file and hashing it with SHA-256.
//   - Serving: a server beside another that has the same options and
//     interceptors and answers with one prepared classification a document. The
//     load comes from this process over loopback: with few cores it, too, bounds
//     what both servers answer. In-process time is that of Classify alone.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/parley-nlp/parley/bench"
)

// A cli is the command line as a whole. The hidden commands are the children.
type cli struct {
	Run       compareCmd   `cmd:"" default:"withargs" help:"Compare (the command when none is named)."`
	Fit       fitCmd       `cmd:"" hidden:"" help:"Train a pinned candidate and print what it took."`
	Label     labelCmd     `cmd:"" hidden:"" help:"Print the labels of the lines of a file."`
	InProcess inProcessCmd `cmd:"" hidden:"" help:"Print what classifying takes in one process."`
	Synthetic syntheticCmd `cmd:"" hidden:"" help:"Write a large model."`
	Load      loadCmd      `cmd:"" hidden:"" help:"Print how long a model takes to load, or its file to hash."`
	Serve     serveCmd     `cmd:"" hidden:"" help:"Serve a model, or answers prepared with it."`
}

// An env is what a command works with.
type env struct {
	ctx            context.Context
	stdin          io.Reader
	stdout, stderr io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	e := env{ctx, os.Stdin, os.Stdout, os.Stderr}
	code := e.run(os.Args[1:])
	stop()
	os.Exit(code)
}

// run executes the command line and returns the exit code: 0 done, 1 failed, 2
// misused.
func (e *env) run(args []string) int {
	program := bench.Command{
		Name: "compare", Description: "Measures how fast Parley is, beside other systems on the same data.",
		Commands: &cli{}, Env: e, Stdout: e.stdout, Stderr: e.stderr,
	}
	return program.Run(args, kong.Vars{"parts": strings.Join(parts, ", ")})
}
