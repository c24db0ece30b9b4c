package work

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/prevalence"
	"github.com/parley-nlp/parley/internal/score"

	"github.com/parley-nlp/parley/beam/internal/cut"
	"github.com/parley-nlp/parley/beam/internal/place"
)

// A Done is a piece that has been scored.
type Done struct {
	Part    int
	Rows    string // temporary name of the file; "" for none
	Errors  string
	Summary []byte // score.Summary as JSON
	// RowBytes and ErrorBytes are the sizes of the files.
	RowBytes, ErrorBytes int64
}

// scoreFn scores pieces.
type scoreFn struct {
	Spec Spec

	model    *model.Model
	counters map[string]beam.Counter
}

// Setup loads the model.
func (f *scoreFn) Setup(ctx context.Context) (err error) {
	f.model, err = f.Spec.Model.load(ctx)
	f.counters = map[string]beam.Counter{}
	return err
}

func (f *scoreFn) ProcessElement(ctx context.Context, p cut.Piece, emit func(Done), sums func(*Sums)) error {
	free, err := takeSlot(ctx)
	if err != nil {
		return err
	}
	defer free()
	job, err := f.job(ctx, p)
	if err != nil {
		return err
	}
	part, err := f.sumUp(p, &job)
	if err != nil {
		return err
	}
	out, err := newOutput(ctx, &f.Spec, p.Part)
	if err != nil {
		return err
	}
	if f.Spec.Rows && !f.Spec.Inline {
		job.Apart = out.errors
	}
	count := f.counter(ctx)
	s, err := job.Run(ctx, score.State{}, out.rows, count.mark)
	done, err := out.close(err)
	if err != nil {
		return err
	}
	count.add(s.Summary)
	done.Part = p.Part
	if done.Summary, err = json.Marshal(s.Summary); err != nil {
		return err
	}
	emit(done)
	if part != nil {
		sums(&Sums{part.Counts()})
	}
	return nil
}

// job is the run over the rows of a piece.
func (f *scoreFn) job(ctx context.Context, p cut.Piece) (score.Job, error) {
	c, err := score.Local(f.model, f.Spec.Options)
	if err != nil {
		return score.Job{}, err
	}
	j := score.Job{
		Sources: []dataset.Source{p.Source(ctx)}, Data: f.Spec.Data, Classifier: c,
		Format: f.Spec.Format, Layout: f.Spec.Layout, Workers: f.Spec.Jobs, Range: score.All, MaxErrors: -1,
	}
	if j.Workers == 0 {
		j.Workers = runtime.GOMAXPROCS(0)
	}
	return j, nil
}

// sumUp makes the job count the label shares of its rows, if they are wanted.
func (f *scoreFn) sumUp(p cut.Piece, job *score.Job) (*prevalence.Summariser, error) {
	if len(f.Spec.Shares) == 0 {
		return nil, nil
	}
	heads, err := f.Spec.heads(f.model)
	if err != nil {
		return nil, err
	}
	part := prevalence.New(heads, prevalence.Options{By: f.Spec.By, Part: int64(p.Part) + 1})
	job.See = func(r *score.Row, _ *dataset.Example) error { return part.Add(score.Answered(r, heads, f.Spec.By)) }
	return part, nil
}

// Namespace is that of the counters.
const Namespace = "parley"

// A counter tells the runner from time to time how many rows of a piece are done.
type counter struct {
	ctx    context.Context
	named  map[string]beam.Counter // of this worker
	before map[string]int64
	last   time.Time
}

func (f *scoreFn) counter(ctx context.Context) *counter {
	return &counter{ctx, f.counters, map[string]int64{}, time.Now()}
}

// countEvery is the time between two looks at the counts.
const countEvery = time.Second / 2

func (c *counter) mark(s score.State) error {
	if time.Since(c.last) > countEvery {
		c.add(s.Summary)
		c.last = time.Now()
	}
	return nil
}

// add adds what has not been added yet.
func (c *counter) add(s score.Summary) {
	now := Totals(s)
	for name, n := range now {
		named, ok := c.named[name]
		if !ok {
			named = beam.NewCounter(Namespace, name)
			c.named[name] = named
		}
		named.Inc(c.ctx, n-c.before[name])
	}
	c.before = now
}

// Totals are the counts of a summary by the names of the counters.
func Totals(s score.Summary) map[string]int64 {
	totals := map[string]int64{"rows": s.Rows}
	for kind, n := range s.Kinds {
		totals["errors: "+kind] = n
	}
	for _, h := range s.Heads {
		for label, n := range h.Labels {
			totals[h.Head+": "+label] = n
		}
		for decision, n := range h.Abstained {
			totals[h.Head+" without a label: "+decision] = n
		}
	}
	return totals
}

// An output is the files that a piece is written to.
type output struct {
	rows   io.Writer
	errors io.Writer
	files  [2]*file
}

func newOutput(ctx context.Context, s *Spec, part int) (*output, error) {
	o := &output{rows: io.Discard}
	if !s.Rows {
		return o, nil
	}
	e, err := score.NewEncoder(s.Format, s.Layout)
	if err != nil {
		return nil, err
	}
	folder, err := s.folder(ctx)
	if err != nil {
		return nil, err
	}
	// A second try of a piece, perhaps at the same time, writes to other names.
	id := rand.Text()
	o.files = [2]*file{
		{ctx: ctx, folder: folder, name: s.temp(fmt.Sprintf("%s-%05d-%s", answered, part, id))},
		{ctx: ctx, folder: folder, name: s.temp(fmt.Sprintf("%s-%05d-%s", failed, part, id)), header: e.Header()},
	}
	o.rows, o.errors = o.files[0], o.files[1]
	return o, o.files[0].create()
}

// close makes the files durable, or drops them when there is an error.
func (o *output) close(err error) (Done, error) {
	var done Done
	for _, f := range o.files {
		if f != nil {
			err = errors.Join(err, f.close(err))
		}
	}
	if err != nil || o.files[0] == nil {
		return done, err
	}
	done.Rows, done.RowBytes = o.files[0].name, o.files[0].bytes
	if e := o.files[1]; e.w != nil {
		done.Errors, done.ErrorBytes = e.name, e.bytes
	}
	return done, nil
}

// A file is written to in large blocks, and made with its first bytes, behind a
// header.
type file struct {
	ctx    context.Context
	folder place.Folder
	name   string
	header []byte
	w      place.Writer
	buf    []byte
	bytes  int64
}

// blockBytes is how much is written at a time.
const blockBytes = 1 << 20

func (f *file) create() (err error) {
	f.w, err = f.folder.Create(f.ctx, f.name)
	f.buf, f.bytes = append(make([]byte, 0, blockBytes), f.header...), int64(len(f.header))
	return err
}

func (f *file) Write(b []byte) (int, error) {
	if f.w == nil {
		if err := f.create(); err != nil {
			return 0, err
		}
	}
	if len(f.buf)+len(b) > blockBytes {
		if err := f.flush(); err != nil {
			return 0, err
		}
	}
	f.buf, f.bytes = append(f.buf, b...), f.bytes+int64(len(b))
	return len(b), nil
}

func (f *file) flush() error {
	_, err := f.w.Write(f.buf)
	f.buf = f.buf[:0]
	return err
}

func (f *file) close(err error) error {
	switch {
	case f.w == nil:
		return nil
	case err == nil:
		err = f.flush()
	}
	if err != nil {
		return errors.Join(err, f.w.Abort())
	}
	return f.w.Commit()
}
