package annotate

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// A session labels one task after the other.
type session struct {
	Config
	console console
	began   time.Time
	summary Summary
	history []step
	waiting []*Task             // were shown before the annotator went back, the last first
	keys    map[string][]choice // by head

	task        *Task
	head        int // of the task, the one that is asked for
	predictions []Prediction
	page        int     // of the text
	find        *finder // nil unless a label is looked for by name
	status      string
}

// A step is one that can be taken back.
type step struct {
	task *Task
	head int
	undo Undo // nil after a skip: who goes back may answer after all
	last bool // it finished the task
}

// RunTerminal labels tasks until there are no more or the annotator leaves, with
// the terminal in raw mode. Whatever ends it, the terminal is then as it was, and
// the summary says what was done.
func RunTerminal(ctx context.Context, cfg Config, in, out *os.File) (s Summary, err error) {
	t, err := openTerminal(in, out)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	return run(ctx, cfg, t)
}

// RunLines is RunTerminal without a terminal: answers are lines, a key, a label or
// a word for a command each.
func RunLines(ctx context.Context, cfg Config, in io.Reader, out io.Writer) (Summary, error) {
	return run(ctx, cfg, newPlain(in, out))
}

func run(ctx context.Context, cfg Config, c console) (Summary, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &session{Config: cfg, console: c, began: cfg.Now(), keys: map[string][]choice{}, summary: Summary{Total: cfg.Total}}
	for head, labels := range cfg.Labels {
		s.keys[head] = choices(labels)
	}
	err := s.loop(ctx)
	s.summary.Elapsed = cfg.Now().Sub(s.began)
	return s.summary, err
}

// errQuit ends a session that the annotator leaves.
var errQuit = errors.New("left")

func (s *session) loop(ctx context.Context) error {
	for {
		if s.task == nil {
			if err := s.next(ctx); err != nil {
				return err
			}
		}
		if s.task == nil && len(s.history) == 0 {
			return nil
		}
		if err := s.step(ctx); errors.Is(err, errQuit) || errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// step shows the task at hand, or that there is none, and does what is typed.
func (s *session) step(ctx context.Context) error {
	lines := s.allDone
	if s.task != nil {
		lines = s.screen
	}
	if err := s.console.show(lines()); err != nil {
		return err
	}
	if s.head == 0 && s.page == 0 && s.find == nil && s.status == "" {
		s.console.drop() // an answer is to what was seen
	}
	in, err := s.console.read(ctx)
	if err != nil {
		return err
	}
	if s.task == nil {
		return s.afterAll(ctx, in)
	}
	return s.act(ctx, in)
}

// next takes the next task, if there is one.
func (s *session) next(ctx context.Context) error {
	if n := len(s.waiting); n > 0 {
		t := s.waiting[n-1]
		s.waiting = s.waiting[:n-1]
		return s.turnTo(ctx, t, 0)
	}
	t, err := s.Work.Next(ctx)
	if err != nil || t == nil {
		return err
	}
	return s.turnTo(ctx, t, 0)
}

// turnTo shows a task. What the model says of it is asked for once.
func (s *session) turnTo(ctx context.Context, t *Task, head int) error {
	if t != s.task {
		s.predictions = nil
		if !t.Blind {
			var err error
			if s.predictions, err = s.Work.Predict(ctx, t); err != nil {
				if ctx.Err() != nil {
					return err
				}
				s.status = "no prediction: " + CleanLine(err.Error())
			}
		}
	}
	s.task, s.head, s.page, s.find = t, head, 0, nil
	return nil
}

// give records an answer and turns to the next head or task.
func (s *session) give(ctx context.Context, label string) error {
	t, head := s.task, s.head
	undo, err := s.Work.Give(ctx, t, t.Heads[head], label)
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		s.status = CleanLine(refused.Reason)
		return nil
	}
	if err != nil {
		return err
	}
	last := head == len(t.Heads)-1
	s.history = append(s.history, step{t, head, undo, last})
	s.summary.Labels++
	if last {
		s.summary.Tasks++
		s.task = nil
		return nil
	}
	return s.turnTo(ctx, t, head+1)
}

// skip leaves the task as it is; heads that are answered stay so.
func (s *session) skip(ctx context.Context) error {
	if err := s.Work.Skip(ctx, s.task); err != nil {
		return err
	}
	s.history = append(s.history, step{task: s.task, head: s.head, last: true})
	s.summary.Skipped++
	s.task = nil
	return nil
}

// back takes the last answer back and asks again.
func (s *session) back(ctx context.Context) error {
	if len(s.history) == 0 {
		s.status = "nothing to take back in this session"
		return nil
	}
	last := s.history[len(s.history)-1]
	if last.undo == nil {
		s.summary.Skipped--
	} else {
		err := last.undo(ctx)
		if refused, ok := errors.AsType[*RefusedError](err); ok {
			s.status = CleanLine(refused.Reason)
			return nil
		}
		if err != nil {
			return err
		}
		s.summary.Labels--
		s.summary.Undone++
		if last.last {
			s.summary.Tasks--
		}
	}
	s.history = s.history[:len(s.history)-1]
	if s.task != nil && last.task != s.task {
		s.waiting = append(s.waiting, s.task)
	}
	s.status = "taken back"
	return s.turnTo(ctx, last.task, last.head)
}
