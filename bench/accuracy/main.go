// Command accuracy measures how good Parley's default training is on labelled
// sets, and compares it with the figures and the answers of other systems.
//
//	go run ./bench/accuracy --dir SETS
//	go run ./bench/accuracy --dir SETS --sets mails,news --jobs 2 \
//		--peers tuned.jsonl --peers fasttext.json --peer-predictions answers \
//		--predictions own --json report.json --markdown report.md
//
// # Sets
//
// A set is a folder below SETS with train.jsonl and test.jsonl, or with
// all.jsonl, which goes through a ten-fold stratified cross-validation: the
// folds of scikit-learn's StratifiedKFold(10, shuffle=True, random_state=0).
// Files may end in .gz. A row is an object with "text" and "label", and perhaps
// "id", "target" and "group". The dev.jsonl of a set is left alone unless
// --with-dev adds it to the training rows. As in "classifier train", training
// rows without text are left out; test rows never are: the answer to an empty
// text is the model's prior.
//
// # Measures
//
// The measure of a set is macro-F1, or F_avg when its rows are of several
// targets and some labels take a side (FAVOR, AGAINST, agree, disagree): the
// mean F1 of those that do, over the rows of all targets, as in task 6 of
// SemEval-2016. Of folds it is the mean, as are accuracy and macro-F1;
// everything else is measured on the rows of all folds together. The label with
// the highest probability is the answer: nothing is withheld.
//
// Every training runs in a process of its own, which gives its peak memory; the
// CPU seconds are those of the training alone. Files hold shares (0 to 1),
// tables points (0 to 100).
//
// # Peers
//
// --peers names files of figures, in points. {"set": S, "SYSTEM": {"accuracy":
// A, "macro_f1": M, "favg": F, "pick": [...]}, ...}, one object a line, has a
// column per system; a single object {"S": {"accuracy": A, ...}, ...} has one
// column, named by the file. The best column of a set is what Parley is
// compared with.
//
// --peer-predictions names a folder with a SET.jsonl of answers, {"id": I,
// "fold": K, "truth": T, "predicted": P} a line, fold only where there are
// folds. The difference is then that to these answers, with an interval of the
// paired bootstrap: test rows (whole groups, where rows have groups) are drawn
// with replacement from all folds together, each keeping its fold, and the
// measure is taken for both systems as above. The interval of the mean lead
// draws within each set; the sets themselves stay. Parley is ahead on a set
// when the difference is above 0, and otherwise level when the interval holds 0
// or the difference is at least -0.05 points.
//
// peers.py writes such answers for the best configuration of scikit-learn;
// --predictions writes Parley's, so that two versions of it can be compared.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/parley-nlp/parley/bench"
)

// A cli is the command line as a whole.
type cli struct {
	Run    benchCmd  `cmd:"" default:"withargs" help:"Train and test on every set of a folder (the command when none is named)."`
	RunSet runSetCmd `cmd:"" hidden:"" help:"Train and test once, and print the answers as JSON."`
}

// An env is what a command works with.
type env struct {
	ctx            context.Context
	stdout, stderr io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	e := env{ctx, os.Stdout, os.Stderr}
	os.Exit(e.run(os.Args[1:]))
}

// run executes the command line and returns the exit code: 0 done, 1 failed, 2
// misused.
func (e *env) run(args []string) int {
	program := bench.Command{
		Name: "accuracy", Description: "Measures Parley's default training on labelled sets, beside other systems.",
		Commands: &cli{}, Env: e, Stdout: e.stdout, Stderr: e.stderr,
	}
	return program.Run(args)
}
