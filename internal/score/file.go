package score

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// A Start says what to do about what an earlier run has left of an output.
type Start int

// The ways to start.
const (
	Fresh     Start = iota // refuse to lose it
	Resume                 // go on with it, or from the beginning when there is nothing
	Overwrite              // remove it
)

// ErrPartial is wrapped by the error of OpenFile for what an earlier run has left.
var ErrPartial = errors.New("a run before has not ended")

// A File is an output that survives the end of the process, of the machine, and
// a full disk. Rows are appended to FILE.partial. From time to time its bytes
// are forced to the disk, and then a checkpoint that counts them; what follows
// the last checkpoint is cut off when the run goes on. When it is complete it
// gets its name.
type File struct {
	path  string
	f     *os.File
	key   Key
	start State
	saved time.Time

	Every time.Duration // between two checkpoints: what a crash may cost

	// Finish makes FILE of the rows in FILE.partial, where that is not the file
	// itself; nil when it is.
	Finish func(rows io.Reader, path string) error
	// Shard makes the output that of a shard, with a file beside it that says so.
	Shard *ShardInfo
}

// OpenFile opens the output for a run with the key. At most one process writes
// to it.
func OpenFile(path string, key Key, start Start) (*File, error) {
	checkpoint, err := ReadCheckpoint(path)
	if err != nil && start != Overwrite {
		return nil, err
	}
	_, err = os.Lstat(partialName(path))
	partial := !errors.Is(err, fs.ErrNotExist)
	if start == Fresh && (partial || checkpoint != nil) {
		return nil, fmt.Errorf("%s: %w", partialName(path), ErrPartial)
	}
	goOn := start == Resume && checkpoint != nil
	if goOn {
		if err := key.Check(checkpoint.Key); err != nil {
			return nil, err
		}
		if _, err := os.Stat(path); !partial && checkpoint.Complete && err == nil { // stopped between its last two steps
			return &File{path: path, key: key, start: checkpoint.State}, nil
		}
	}
	if start == Resume && checkpoint == nil && !partial {
		if done, ok := doneShard(path, key); ok {
			return &File{path: path, key: key, start: done}, nil
		}
	}
	f, err := openLocked(partialName(path))
	if err != nil {
		return nil, err
	}
	o := &File{path: path, f: f, key: key, saved: time.Now()}
	if goOn && partial {
		o.start = checkpoint.State
		err = o.cut(o.start.Bytes)
	} else {
		err = o.clear()
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return o, nil
}

// doneShard returns the state of a shard that an earlier run of the same key has
// completed: one more pod of a job has nothing to do.
func doneShard(path string, key Key) (State, bool) {
	info, err := readShard(path)
	if err != nil || key.Shard.Of == 0 || key.Check(info.Key) != nil {
		return State{}, false
	}
	f, err := os.Stat(path)
	return info.State, err == nil && f.Size() == info.State.Bytes
}

// openLocked opens a file that this process alone writes to.
func openLocked(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: another run writes to it", name), f.Close())
	}
	own, err := f.Stat()
	if now, nowErr := os.Stat(name); err != nil || nowErr != nil || !os.SameFile(own, now) {
		return nil, errors.Join(fmt.Errorf("%s: another run has just ended", name), f.Close())
	}
	return f, nil
}

// clear begins anew: the checkpoint must be gone before the rows are, or it
// would count those that come now.
func (o *File) clear() error {
	if err := os.Remove(checkpointName(o.path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := syncDir(filepath.Dir(o.path)); err != nil {
		return err
	}
	return o.cut(0)
}

// cut drops what follows the first n bytes.
func (o *File) cut(n int64) error {
	info, err := o.f.Stat()
	if err != nil {
		return err
	}
	if info.Size() < n {
		return fmt.Errorf("%s has %d bytes, its checkpoint counts %d", partialName(o.path), info.Size(), n)
	}
	if err := o.f.Truncate(n); err != nil {
		return err
	}
	_, err = o.f.Seek(n, io.SeekStart)
	return err
}

// State is where the run begins.
func (o *File) State() State { return o.start }

// Written is the file that has the rows so far: of a run that stopped between its
// last two steps the one with the final name.
func (o *File) Written() string {
	if o.f == nil {
		return o.path
	}
	return partialName(o.path)
}

// Run runs a job from where the file is to its end, and returns how far it has
// come. An error leaves the file so that the run can go on, unless there is no
// row in it: then nothing is left.
func (o *File) Run(run func(s State, out io.Writer, mark func(State) error) (State, error)) (State, error) {
	if o.f == nil {
		return o.start, o.forget()
	}
	s, err := run(o.start, o.f, o.mark)
	if err != nil {
		return s, errors.Join(err, o.suspend(s))
	}
	return s, o.complete(s)
}

// mark saves a checkpoint when the last one is old.
func (o *File) mark(s State) error {
	if time.Since(o.saved) < o.Every {
		return nil
	}
	return o.save(s, false)
}

// save makes the rows up to s durable, and then the checkpoint that counts them.
func (o *File) save(s State, complete bool) error {
	if err := o.f.Sync(); err != nil {
		return err
	}
	if o.saved = time.Now(); o.key.Revision == "" {
		o.key.Revision = RevisionID(s.Revision)
	}
	return writeJSON(checkpointName(o.path), Checkpoint{checkpointVersion, o.key, s, complete})
}

// suspend leaves a run that did not end.
func (o *File) suspend(s State) error {
	defer o.f.Close()
	if s.Read == o.start.Read && s.Summary.Rows == 0 {
		return errors.Join(os.Remove(partialName(o.path)), o.clearCheckpoint())
	}
	if err := o.cut(s.Bytes); err != nil {
		return err
	}
	return o.save(s, false)
}

// complete gives the file its name. A crash in between leaves a checkpoint that
// says so.
func (o *File) complete(s State) error {
	defer o.f.Close()
	if err := o.save(s, true); err != nil {
		return err
	}
	if err := o.name(s); err != nil {
		return err
	}
	return o.forget()
}

// name makes FILE of FILE.partial.
func (o *File) name(s State) error {
	if err := o.describe(s); err != nil {
		return err
	}
	if o.Finish == nil {
		return os.Rename(partialName(o.path), o.path)
	}
	if _, err := o.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := o.Finish(o.f, o.path); err != nil {
		return err
	}
	return os.Remove(partialName(o.path))
}

// forget removes the checkpoint of a file that has its name for good.
func (o *File) forget() error {
	if err := syncDir(filepath.Dir(o.path)); err != nil {
		return err
	}
	return o.clearCheckpoint()
}

func (o *File) clearCheckpoint() error {
	if err := os.Remove(checkpointName(o.path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// describe writes what is known of a shard, before its output is there.
func (o *File) describe(s State) error {
	if o.Shard == nil {
		return nil
	}
	if _, err := o.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	info := *o.Shard
	info.Key, info.State = o.key, s
	return info.write(o.path, o.f)
}
