// Command prevalence measures how well label shares are estimated on labelled
// sets, where the true shares are known.
//
//	go run ./bench/prevalence --dir SETS
//	go run ./bench/prevalence --dir SETS --part train --sets mails,news --json figures.json
//
// SETS is a folder of sets as bench/accuracy takes them: a set is a folder with
// train.jsonl and test.jsonl, or all.jsonl, perhaps with .gz; a row has "text",
// "label", and perhaps "target" and "group". With all.jsonl, 70% of the groups
// are the training part. With --part train the test part is left alone: 60% of the
// training part is trained on, and the rest tested.
//
// A model is trained on the training part, by the default training without
// character n-grams and with two estimators, and answers the test part. Then
//
//   - 50 times, shares are drawn from a flat Dirichlet distribution, and --rows rows
//     with these shares from the test part. The error of an estimate is its mean
//     absolute difference from the shares among the rows drawn;
//   - the same --draws times, to count how many of the drawn shares lie in the
//     intervals, which are made as for the groups of --by;
//   - last, the shares of the test part as it is, which may differ from the
//     training part in more than shares: the natural shift. Once from the answers
//     alone, and 100 times with --audited rows whose labels are told.
//
// Rows are drawn from the test part with replacement. Where a label has few rows
// there, these are no fair picture of its texts, and the figures are worse than for
// texts from where the training part is from.
//
// Labels with less than five rows in the test part are left out of the draws.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// A cli is the command line as a whole.
type cli struct {
	Dir     string   `required:"" placeholder:"SETS" help:"Folder of labelled sets."`
	Sets    []string `placeholder:"SET" help:"Sets to take. Default: all."`
	Part    string   `enum:"test,train" default:"test" help:"What to test on: the test part, or a part of the training part."`
	Rows    int      `default:"500" help:"Rows of a draw. Default: ${default}."`
	Draws   int      `default:"1000" help:"Draws to count the coverage of intervals on, at most 1000. Default: ${default}."`
	Audited int      `default:"100" help:"Rows of the test part whose labels are told in an audit, at least 20. Default: ${default}."`
	Seed    uint64   `default:"1" help:"Of all draws. Default: ${default}."`
	Out     string   `name:"json" placeholder:"FILE" help:"Write the figures as JSON too."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run executes the command line and returns the exit code: 0 done, 1 failed, 2
// misused.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c cli
	parser, err := kong.New(&c, kong.Name("prevalence"), kong.Writers(stdout, stderr),
		kong.Description("Measures how well label shares are estimated."))
	if err != nil {
		panic(err) // the struct tags above are wrong
	}
	if _, err := parser.Parse(args); err != nil || c.Rows < 1 || c.Draws < 0 || c.Draws > 1000 || c.Audited < 20 {
		if err == nil {
			err = fmt.Errorf("--rows %d, --draws %d, --audited %d: want at least 1 row, 0 to 1000 draws, at least 20 audited rows", c.Rows, c.Draws, c.Audited)
		}
		fmt.Fprintf(stderr, "prevalence: %v\n", err)
		return 2
	}
	if err := c.measure(ctx, stdout); err != nil {
		fmt.Fprintf(stderr, "prevalence: %v\n", err)
		return 1
	}
	return 0
}

// measure measures one set after the other and prints tables.
func (c *cli) measure(ctx context.Context, w io.Writer) error {
	names, err := setNames(c.Dir, c.Sets)
	if err != nil {
		return err
	}
	var list []*result
	for _, name := range names {
		r, err := c.measureSet(ctx, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		list = append(list, r)
		fmt.Fprintf(os.Stderr, "prevalence: %s done\n", name)
	}
	render(w, list)
	if c.Out == "" {
		return nil
	}
	b, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(c.Out, append(b, '\n'), 0o644)
}
