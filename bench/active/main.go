// Command active measures how much labels are worth that are chosen as "classifier
// labels suggest" does, beside labels of texts drawn at random.
//
//	go run ./bench/active
//	go run ./bench/active --dir SETS/reuters_r8 --svg curves
//
// Without --dir it takes the built-in corpus, topic and stance: texts of its training
// part are labelled, those of the development part score (--part test for a last
// figure). SETS/NAME is a folder with train.jsonl, perhaps with .gz, whose rows have
// "text" and "label": 30% of it, by a hash of the text, are held out to score on, and
// other files are not read.
//
// Every run begins without a label. A run that chooses gets batches of --batch texts
// from internal/suggest, the first without a model; the other takes the next texts of
// a random order. After each batch a model is trained on all labels so far, by
// suggest.QuickConfig: complement naive Bayes on TF-IDF of single words, without a
// search, which of seven choices was the best at 60 to 250 labels on Reuters and on the
// corpus's topics, and among the best on its stances. (From 300 labels on training fits a
// bias a label too, which shows as a step in the random curves.)
// Each seed has its own random order and its own pool: nine tenths of the texts, so
// that choices differ.
//
// With label noise that share of the labels given, in both runs alike, is another label
// of the head, all alike. What is scored stays as it is.
//
// The figures are means over seeds of macro-F1 and accuracy, with 95% intervals of a
// bootstrap over the seeds. "Random labels for the same" is where the mean curve of the
// random runs, straight between its points, first reaches the macro-F1 of the run that
// chooses; its interval is made from the same resamples of seeds. A curve that does not
// get there gives its last point and the sign >.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// A cli is the command line as a whole.
type cli struct {
	Dir    []string  `placeholder:"SETS/NAME" help:"Folder of a labelled set; repeat for several. Default: the built-in corpus."`
	Part   string    `enum:"dev,test" default:"dev" help:"Part of the built-in corpus that scores. Default: ${default}."`
	Seeds  int       `default:"30" help:"Runs of each kind, 2 to 1000. Default: ${default}."`
	Batch  int       `default:"20" help:"Texts of a batch, 5 to 100. Default: ${default}."`
	Chosen int       `default:"100" help:"Labels of a run that chooses. Default: ${default}."`
	Random int       `default:"400" help:"Labels of a random run. Default: ${default}."`
	Noise  []float64 `default:"0,0.05" help:"Shares of wrong labels. Default: ${default}."`
	SVG    string    `name:"svg" placeholder:"FOLDER" help:"Draw the curves, a file for each task and noise."`
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
	parser, err := kong.New(&c, kong.Name("active"), kong.Writers(stdout, stderr),
		kong.Description("Measures what chosen labels are worth beside random ones."))
	if err != nil {
		panic(err) // the struct tags above are wrong
	}
	if _, err = parser.Parse(args); err == nil {
		err = c.check()
	}
	if err != nil {
		fmt.Fprintf(stderr, "active: %v\n", err)
		return 2
	}
	if err := c.measure(ctx, stdout); err != nil {
		fmt.Fprintf(stderr, "active: %v\n", err)
		return 1
	}
	return 0
}

func (c *cli) check() error {
	switch {
	case c.Seeds < 2 || c.Seeds > 1000 || c.Batch < 5 || c.Batch > 100:
		return fmt.Errorf("--seeds %d, --batch %d: want 2 to 1000, 5 to 100", c.Seeds, c.Batch)
	case c.Chosen < c.Batch || c.Random < c.Chosen:
		return fmt.Errorf("--chosen %d, --random %d: want a batch at least, and no less random labels", c.Chosen, c.Random)
	}
	for _, x := range c.Noise {
		if !(x >= 0 && x < 1) {
			return fmt.Errorf("--noise %v: want 0 to below 1", x)
		}
	}
	return nil
}

// measure measures one task after the other and prints tables.
func (c *cli) measure(ctx context.Context, w io.Writer) error {
	tasks, err := c.tasks()
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if len(t.pool) < 2*c.Random || len(t.held) == 0 {
			return fmt.Errorf("%s: %d texts to label, %d to score on: want at least twice --random %d, and 1", t.name, len(t.pool), len(t.held), c.Random)
		}
		for _, noise := range c.Noise {
			r, err := c.curves(ctx, &t, noise)
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			r.render(w)
			if c.SVG == "" {
				continue
			}
			name := fmt.Sprintf("%s-%g.svg", strings.ReplaceAll(t.name, " ", "-"), 100*noise)
			if err := r.draw(filepath.Join(c.SVG, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *cli) tasks() (list []task, err error) {
	if len(c.Dir) == 0 {
		return summitTasks(c.Part)
	}
	for _, dir := range c.Dir {
		t, err := setTask(dir)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}
