package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/alecthomas/kong"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/score"
)

// A scoreCmds is "classifier score" and the commands below it.
type scoreCmds struct {
	Rows  scoreCmd      `cmd:"" default:"withargs" help:"Classify every row of files; score merge puts shards together. The exit code is 0 when all rows were classified, 1 when some were not or the run failed, 2 for misuse, 130 after a signal."`
	Merge scoreMergeCmd `cmd:"" help:"Put the outputs of all shards together."`
}

// A scoreCmd is "classifier score FILE...".
type scoreCmd struct {
	Files []string `arg:"" optional:"" name:"file" help:"Files with texts (JSONL, CSV, TSV, plain text, also .gz or .zst, or Parquet), folders of them, or patterns such as 'data/**/*.txt'. Default: standard input."`
	Out   string   `short:"o" placeholder:"FILE" help:"Write here instead of to standard output; the file appears when it is complete. Until then there are FILE.partial and FILE.checkpoint."`
	Top   int      `default:"1" help:"Labels to give a head, --top=-1 for all."`
	askFlags
	dataFlags
	rowFlags
	runFlags
	summaryFlags
	SummaryModel string `placeholder:"FILE" help:"With --summary and --addr: the model file that the server answers with; how often it errs is in it."`
}

// A scoreRun is what a run of score works with.
type scoreRun struct {
	*scoreCmd
	*env
	job     score.Job
	key     score.Key
	shard   *score.ShardInfo
	bytes   int64    // of the files together; negative when not known
	summary *summary // nil for none
}

// Run scores the files.
func (c *scoreCmd) Run(e *env, k *kong.Context) error {
	if err := c.check(); err != nil {
		return err
	}
	r := &scoreRun{scoreCmd: c, env: e}
	r.key.Settings = settings(k)
	if err := r.open(); err != nil {
		return err
	}
	revision, err := r.begunWith()
	if err != nil {
		return err
	}
	done, err := r.ask(revision)
	if err != nil {
		return withHint(err, e.args)
	}
	defer done()
	if err := r.takeShard(); err != nil {
		return withHint(err, e.args)
	}
	began := time.Now()
	state, before, err := r.score()
	renderSummary(e.stderr, state.Summary, state.Summary.Rows-before, time.Since(began))
	if err == nil {
		err = r.writeSummary()
	}
	return r.explain(state, withHint(err, e.args))
}

// open looks at the files and their sizes.
func (r *scoreRun) open() error {
	if len(r.Files) == 0 {
		r.Files = []string{"-"}
	}
	if r.Out != "" {
		if err := checkOutput(r.Out); err != nil {
			return err
		}
	}
	sources, err := dataset.Files(r.Files, r.stdin)
	if err != nil {
		return err
	}
	r.job.Meter = &score.Meter{}
	var names []string
	for _, s := range sources {
		names = append(names, s.Name())
		r.job.Sources = append(r.job.Sources, s.Counted(&r.job.Meter.Read))
	}
	r.key.Files, err = score.FileIDs(names)
	for _, f := range r.key.Files {
		if r.bytes += f.Size; f.Size < 0 {
			r.bytes = -1
			break
		}
	}
	return err
}

// begunWith returns the revision that answered a run which is to be resumed, ""
// when there is none.
func (r *scoreRun) begunWith() (string, error) {
	if !r.Resume {
		return "", nil
	}
	target, _, err := resolveOutput(r.Out)
	if err != nil {
		return "", err
	}
	checkpoint, err := score.ReadCheckpoint(target)
	if err != nil || checkpoint == nil {
		return "", err
	}
	return checkpoint.State.Revision, nil
}

// ask makes the classifier and the job.
func (r *scoreRun) ask(revision string) (_ func(), err error) {
	o := score.Options{Top: r.Top, Evidence: r.Explain}
	classifier, o, done, err := r.classifier(r.env, o, r.calls(r.env, revision))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			done()
		}
	}()
	r.job.Data = r.options()
	r.job.Data.NoLabels, r.job.Data.Keep = true, r.kept(r.Keep)
	r.job.Classifier, r.job.Format, r.job.Range = classifier, r.streamed(), score.All
	r.job.Workers, r.job.MaxErrors = r.workers(), r.maxErrors()
	if r.job.Layout, err = r.layout(classifier, o); err != nil {
		return nil, err
	}
	r.key.Revision = score.RevisionID(classifier.Revision())
	return done, r.sumUp()
}

// takeShard counts the rows and takes those of the shard.
func (r *scoreRun) takeShard() error {
	if r.Shard == "" {
		return nil
	}
	shard, err := score.ParseShard(r.Shard)
	if err != nil {
		return usagef("--%w", err)
	}
	if r.key.Rows, r.key.Hash, err = score.Count(r.ctx, r.job.Sources, r.job.Data); err != nil {
		return err
	}
	r.job.Range, r.key.Shard = shard.Range(r.key.Rows), shard
	r.shard = &score.ShardInfo{Shard: shard, Range: r.job.Range, Format: r.job.Format}
	r.job.Meter.Read.Store(0)
	return nil
}

// score runs the job and returns how far it has come, and how many rows there
// were before.
func (r *scoreRun) score() (s score.State, before int64, err error) {
	tuneMemory()
	if r.Out == "" {
		s, err = r.toStream(r.stdout)
		return s, 0, err
	}
	target, special, err := resolveOutput(r.Out)
	switch {
	case err != nil:
		return s, 0, err
	case !special:
		return r.toFile(target)
	}
	err = writeSpecial(target, func(w io.Writer) error {
		s, err = r.toStream(w)
		return err
	})
	return s, 0, err
}

// toFile runs the job into a file, from where an earlier run has left it.
func (r *scoreRun) toFile(path string) (s score.State, before int64, err error) {
	out, err := r.openFile(path)
	if err != nil {
		return s, 0, err
	}
	out.Shard, out.Every, out.Finish = r.shard, r.CheckpointEvery, r.finish()
	before = out.State().Summary.Rows
	if before > 0 {
		fmt.Fprintf(r.stderr, "classifier: going on after %s\n", score.RowCount(before))
	}
	if err := r.sumUpAgain(out.Written(), before); err != nil {
		return s, before, err
	}
	s, err = out.Run(r.run)
	return s, before, err
}

// openFile opens the output.
func (r *scoreRun) openFile(path string) (*score.File, error) {
	start := score.Fresh
	switch {
	case r.Resume:
		start = score.Resume
		if checkpoint, err := score.ReadCheckpoint(path); err == nil && checkpoint != nil && r.AllowRevisionChange {
			r.key.Revision = checkpoint.Key.Revision
		}
	case r.Overwrite:
		start = score.Overwrite
	}
	out, err := score.OpenFile(path, r.key, start)
	switch {
	case errors.Is(err, score.ErrPartial):
		return nil, fmt.Errorf("%w: go on with it by --resume, or begin anew by --overwrite", err)
	case errors.Is(err, score.ErrInput), errors.Is(err, score.ErrSettings):
		return nil, fmt.Errorf("--resume: %w: begin anew by --overwrite", err)
	case errors.Is(err, score.ErrRevision):
		return nil, fmt.Errorf("--resume: %w: begin anew by --overwrite, or mix them by --allow-revision-change", err)
	}
	return out, err
}

// run runs the job with a progress display.
func (r *scoreRun) run(s score.State, out io.Writer, mark func(score.State) error) (score.State, error) {
	stop := r.showProgress(s)
	defer stop()
	return r.job.Run(r.ctx, s, out, mark)
}

// explain says what a run that did not end well has left.
func (r *scoreRun) explain(s score.State, err error) error {
	if err == nil && s.Summary.Errors > 0 {
		return fmt.Errorf(`%d of %d rows could not be classified: their lines have an "error"`, s.Summary.Errors, s.Summary.Rows)
	}
	if err == nil || r.Out == "" || s.Summary.Rows == 0 {
		return err
	}
	path, _, resolved := resolveOutput(r.Out)
	if _, gone := os.Stat(path + ".partial"); resolved != nil || gone != nil {
		return err
	}
	hint := fmt.Sprintf("%s are in %s.partial; to go on: %s", score.RowCount(s.Summary.Rows), path, resumeLine(r.args))
	if r.ctx.Err() != nil {
		fmt.Fprintf(r.stderr, "classifier: %s\n", hint)
		return err
	}
	return fmt.Errorf("%w\n%s", err, hint)
}

// resumeLine is the command line that goes on with a run.
func resumeLine(args []string) string {
	words := []string{"classifier"}
	for _, a := range args {
		if a != "--overwrite" {
			words = append(words, shellQuote(a))
		}
	}
	if !slices.Contains(args, "--resume") {
		words = slices.Insert(words, 2, "--resume")
	}
	return joinWords(words)
}

// workers is how many batches are worked on at a time.
func (r *scoreRun) workers() int {
	switch {
	case r.Jobs > 0:
		return r.Jobs
	case r.Addr != "":
		return score.MostCalls
	}
	return runtime.GOMAXPROCS(0)
}
