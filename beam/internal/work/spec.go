package work

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/prevalence"
	"github.com/parley-nlp/parley/internal/score"

	"github.com/parley-nlp/parley/beam/internal/cut"
	"github.com/parley-nlp/parley/beam/internal/place"
)

// A Spec is what workers are told of a job. It travels to them as JSON: nothing
// else of the process that submits the job does.
type Spec struct {
	Out     string // folder of the output, that all workers reach
	Token   string // of the job: what is temporary is below it
	Parts   int    // of the input: pieces, each with its own output
	Model   ModelRef
	Data    dataset.Options
	Options score.Options
	Format  score.Format
	Layout  score.Layout
	Jobs    int  // batches of a piece that are worked on at a time; 0: as there are processors
	Rows    bool // are written
	Async   bool // nobody waits for the end of the job
	Inline  bool // error rows stay among the others
	// MaxErrors is how many error rows there may be; negative: any number.
	MaxErrors int64
	By        []prevalence.By // columns of the label shares
	Shares    []string        // files of them
	Title     string          // of the page of them
	Count     *Counting       // of a job that counts; nil for others
}

// temporary is where workers write.
const temporary = ".parley-beam-"

func (s *Spec) folder(ctx context.Context) (place.Folder, error) {
	return place.OpenFolder(ctx, s.Out)
}

// Temporary is where workers write until all is there.
func (s *Spec) Temporary() string { return place.Bare(s.Out) + "/" + temporary + s.Token }

func (s *Spec) temp(name string) string { return temporary + s.Token + "/" + name }

// planName is the file that has the chunks of the input: a job may have more than
// fit into the request that submits it.
const planName = "plan.json"

// WritePlan writes the chunks for the workers.
func (s *Spec) WritePlan(ctx context.Context, chunks []cut.Chunk) error {
	b, err := json.Marshal(chunks)
	if err != nil {
		return err
	}
	folder, err := s.folder(ctx)
	if err != nil {
		return err
	}
	return writeAll(ctx, folder, s.temp(planName), b)
}

func writeAll(ctx context.Context, folder place.Folder, name string, b []byte) error {
	w, err := folder.Create(ctx, name)
	if err != nil {
		return err
	}
	if _, err := w.Write(b); err != nil {
		return errors.Join(err, w.Abort())
	}
	return w.Commit()
}

func (s *Spec) readPlan(ctx context.Context) ([]cut.Chunk, error) {
	folder, err := s.folder(ctx)
	if err != nil {
		return nil, err
	}
	r, err := folder.Open(ctx, s.temp(planName))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: workers must reach the output folder: %w", folder, err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var chunks []cut.Chunk
	return chunks, json.Unmarshal(b, &chunks)
}

// CheckFree refuses a folder that has output, unless it may be replaced.
func (s *Spec) CheckFree(ctx context.Context, overwrite bool) error {
	folder, err := s.folder(ctx)
	if err != nil || overwrite {
		return err
	}
	names, err := folder.Names(ctx, "")
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == ReceiptName || isOutput(name) {
			return fmt.Errorf("%s: there is output of an earlier job (%s): take another folder, or replace it by --overwrite", folder, name)
		}
	}
	return nil
}

// Clean removes what a job has left that did not end.
func (s *Spec) Clean(ctx context.Context) error {
	folder, err := s.folder(ctx)
	if err != nil {
		return err
	}
	names, err := folder.Names(ctx, s.temp(""))
	if err != nil {
		return err
	}
	slices.Reverse(names)
	for _, name := range names {
		if err := folder.Remove(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// Output names.
const (
	answered = "rows"
	failed   = "errors"
	// ReceiptName is the file that says that the output is complete.
	ReceiptName = "job.json"
)

// final is the name of an output file of a part.
func (s *Spec) final(kind string, part int) string {
	return fmt.Sprintf("%s-%05d-of-%05d.%s", kind, part, s.Parts, s.Format)
}

// isOutput reports whether a name is one that final may give.
func isOutput(name string) bool {
	if name == CountsName || name == SampleName {
		return true
	}
	for _, kind := range []string{answered, failed} {
		if ok, _ := path.Match(kind+"-[0-9]*-of-[0-9]*.*", name); ok {
			return true
		}
	}
	return false
}
