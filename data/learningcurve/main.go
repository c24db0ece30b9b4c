// Command learningcurve prints the tables of data/README.md that say how well
// the corpus teaches: what a model reaches on test.jsonl when it is trained on
// 1/8, 1/4, 1/2 and all of the writers of train.jsonl, and what simple rules
// reach.
//
//	go run ./data/learningcurve
package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/parley-nlp/parley/data"
	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/train"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "learningcurve: %v\n", err)
		os.Exit(1)
	}
}

var heads = []string{"topic", "stance"}

func run() error {
	training, err := read("train.jsonl")
	if err != nil {
		return err
	}
	test, err := read("test.jsonl")
	if err != nil {
		return err
	}
	fmt.Println("| trained on | writers | paragraphs | topic macro-F1 | stance macro-F1 |")
	fmt.Println("|---|---|---|---|---|")
	writers := shuffled(training)
	var report *train.Report
	for _, part := range []int{8, 4, 2, 1} {
		some := writers[:(len(writers)+part-1)/part]
		if report, err = point(part, some, of(training, some), test); err != nil {
			return err
		}
	}
	return baselines(training, test, report)
}

// read returns the labelled paragraphs of one file of the corpus.
func read(name string) ([]dataset.Example, error) {
	b, err := data.FS.ReadFile(name)
	if err != nil {
		return nil, err
	}
	src := dataset.Reader(name, strings.NewReader(string(b)))
	set, err := dataset.ReadAll([]dataset.Source{src}, dataset.Options{Heads: heads})
	if err != nil {
		return nil, err
	}
	return set.Examples, nil
}

// writer returns the writer of a paragraph: its document without the number.
func writer(ex dataset.Example) string { return ex.Group[:strings.LastIndex(ex.Group, "-d")] }

// shuffled returns the writers in the order of a hash of their name.
func shuffled(examples []dataset.Example) []string {
	var list []string
	for _, ex := range examples {
		list = append(list, writer(ex))
	}
	slices.Sort(list)
	list = slices.Compact(list)
	slices.SortStableFunc(list, func(a, b string) int { return strings.Compare(hash(a), hash(b)) })
	return list
}

func hash(s string) string {
	sum := sha256.Sum256([]byte("curve:" + s))
	return string(sum[:])
}

// of returns the paragraphs by some of the writers.
func of(examples []dataset.Example, writers []string) []dataset.Example {
	return slices.DeleteFunc(slices.Clone(examples), func(ex dataset.Example) bool { return !slices.Contains(writers, writer(ex)) })
}

// point trains on some writers, prints what the model makes of the test, and
// returns it.
func point(part int, writers []string, training, test []dataset.Example) (*train.Report, error) {
	m, _, err := train.Train(context.Background(), training, heads, train.Default())
	if err != nil {
		return nil, err
	}
	report, err := train.Evaluate(m, test, heads)
	if err != nil {
		return nil, err
	}
	name := "all"
	if part > 1 {
		name = fmt.Sprintf("1/%d", part)
	}
	fmt.Printf("| %s | %d | %d |", name, len(writers), len(training))
	for _, h := range report.Heads {
		fmt.Printf(" %.3f (%.3f to %.3f) |", h.MacroF1, h.MacroF1Interval.Low, h.MacroF1Interval.High)
	}
	fmt.Println()
	return report, nil
}

// baselines prints what simple rules make of the test, of which report is an
// evaluation.
func baselines(training, test []dataset.Example, report *train.Report) error {
	keywords, err := train.KeywordBaseline(training, test, heads)
	if err != nil {
		return err
	}
	fmt.Print("| keywords | | |")
	for _, b := range keywords {
		fmt.Printf(" %.3f |", b.MacroF1)
	}
	fmt.Print("\n| most frequent label | | |")
	for _, h := range report.Heads {
		fmt.Printf(" %.3f |", h.MajorityMacroF1)
	}
	fmt.Println()
	return nil
}
