package score

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
)

// A trial is a run into a file that is begun, ended and gone on with.
type trial struct {
	*testing.T
	folder, input, out string
	format             Format
}

func newTrial(t *testing.T, input string) *trial {
	folder := t.TempDir()
	tr := &trial{t, folder, filepath.Join(folder, "in.jsonl"), filepath.Join(folder, "out"), JSONL}
	tr.write(tr.input, input)
	return tr
}

func (t *trial) write(path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (t *trial) read(path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// job is the run over the input.
func (t *trial) job(c Classifier) Job {
	sources, err := dataset.Files([]string{t.input}, nil)
	if err != nil {
		t.Fatal(err)
	}
	layout, err := LayoutOf(t.Context(), mustLocal(t, Options{}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return Job{Sources: sources, Data: unlabelled, Classifier: c, Format: t.format, Layout: layout, Workers: 3, Range: All, MaxErrors: -1}
}

func (t *trial) key() Key {
	files, err := FileIDs([]string{t.input})
	if err != nil {
		t.Fatal(err)
	}
	return Key{Files: files, Settings: []Setting{{"--top", "1"}}, Revision: testModel(t).Revision()}
}

// run runs into the file and ends soon after so many batches are written; 0 for
// never.
func (t *trial) run(key Key, start Start, batches int) (State, error) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	job := t.job(mustLocal(t, Options{}))
	f, err := OpenFile(t.out, key, start)
	if err != nil {
		return State{}, err
	}
	return f.Run(func(s State, out io.Writer, mark func(State) error) (State, error) {
		return job.Run(ctx, s, out, func(s State) error {
			if batches--; batches == 0 {
				cancel()
			}
			return mark(s)
		})
	})
}

// plain returns what a run without a file writes.
func (t *trial) plain() (string, State) {
	t.Helper()
	var b strings.Builder
	s, err := t.job(mustLocal(t, Options{})).Run(t.Context(), State{}, &b, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), s
}

// done wants the output and nothing beside it.
func (t *trial) done(want string) {
	t.Helper()
	if got := t.read(t.out); got != want {
		t.Errorf("got %d bytes that are not the %d wanted", len(got), len(want))
	}
	if left, _ := filepath.Glob(t.out + ".*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// exists reports whether the output is there.
func (t *trial) exists() bool {
	_, err := os.Stat(t.out)
	return !errors.Is(err, fs.ErrNotExist)
}

// A run that is ended again and again writes the bytes of one that is not, and
// counts the same.
func TestRunsGoOn(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, format := range []Format{JSONL, CSV} {
		tr := newTrial(t, varied(3000))
		tr.format = format
		want, wantState := tr.plain()
		for n := 0; ; n++ {
			s, err := tr.run(tr.key(), Resume, 1+rng.IntN(6))
			if err == nil {
				if fmt.Sprint(s) != fmt.Sprint(wantState) || n < 2 {
					t.Errorf("%s: %d runs end with %+v, want %+v", format, n+1, s, wantState)
				}
				break
			}
			if !errors.Is(err, context.Canceled) || tr.exists() || n > 1000 {
				t.Fatalf("%s: %v", format, err)
			}
		}
		tr.done(want)
	}
}

// What follows the checkpoint is cut off. Output that the checkpoint counts and
// that is not there is not made up for.
func TestTornOutput(t *testing.T) {
	tr := newTrial(t, varied(3000))
	want, _ := tr.plain()
	if _, err := tr.run(tr.key(), Fresh, 10); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	half := tr.read(tr.out + ".partial")
	tr.write(tr.out+".partial", half+"{\"id\": \"torn")
	checkpoint := tr.read(tr.out + ".checkpoint")
	if _, err := tr.run(tr.key(), Resume, 0); err != nil {
		t.Fatal(err)
	}
	tr.done(want)
	tr.write(tr.out+".partial", half[:len(half)-1])
	tr.write(tr.out+".checkpoint", checkpoint)
	if _, err := tr.run(tr.key(), Resume, 0); err == nil || !strings.Contains(err.Error(), "its checkpoint counts") {
		t.Errorf("got error %v", err)
	}
}

func TestWhatIsLeftIsNotLost(t *testing.T) {
	tr := newTrial(t, varied(3000))
	want, _ := tr.plain()
	if _, err := tr.run(tr.key(), Fresh, 10); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := tr.run(tr.key(), Fresh, 0); !errors.Is(err, ErrPartial) {
		t.Errorf("got error %v, want %v", err, ErrPartial)
	}
	if _, err := tr.run(tr.key(), Overwrite, 0); err != nil {
		t.Fatal(err)
	}
	tr.done(want)
}

// A crash may come between any two steps at the end of a run.
func TestCrashAtTheEnd(t *testing.T) {
	tr := newTrial(t, varied(1000))
	want, s := tr.plain()
	complete := Checkpoint{checkpointVersion, tr.key(), s, true}
	for name, files := range map[string]map[string]string{
		"before it has its name":        {".partial": want},
		"before the checkpoint is gone": {"": want},
		"after somebody took the file":  {},
	} {
		for ending, text := range files {
			tr.write(tr.out+ending, text)
		}
		if err := writeJSON(tr.out+".checkpoint", complete); err != nil {
			t.Fatal(err)
		}
		out, err := OpenFile(tr.out, tr.key(), Resume)
		if err != nil {
			t.Fatal(err)
		}
		if rows := out.State().Summary.Rows; rows > 0 && tr.read(out.Written()) != want {
			t.Errorf("%s: %s does not have the %d rows so far", name, out.Written(), rows)
		}
		if out.f != nil {
			out.f.Close()
		}
		if got, err := tr.run(tr.key(), Resume, 0); err != nil || fmt.Sprint(got) != fmt.Sprint(s) {
			t.Errorf("%s: got %+v, error %v", name, got, err)
		}
		tr.done(want)
		os.Remove(tr.out)
	}
}

func TestChangesAreRefused(t *testing.T) {
	file := varied(3000)
	for _, c := range []struct {
		name   string
		input  string // in the place of file; "" for none
		change func(*Key)
		kind   error
		want   string
	}{
		{"a longer file", file + "\n", nil, ErrInput, "bytes, it had"},
		{"another row among those that were scored", strings.Replace(file, "unknown0", "unknown9", 1), nil, ErrInput, "the input has changed"},
		{"another file", "", func(k *Key) { k.Files[0].Name = "b" }, ErrInput, "file 1 is b, it was "},
		{"a file more", "", func(k *Key) { k.Files = append(k.Files, FileID{"b", 1}) }, ErrInput, "b is new"},
		{"no file", "", func(k *Key) { k.Files = nil }, ErrInput, "is not given any more"},
		{"another flag", "", func(k *Key) { k.Settings[0].Value = "3" }, ErrSettings, "--top is 3, it was 1"},
		{"a new flag", "", func(k *Key) { k.Settings = append(k.Settings, Setting{"--keep", "a"}) }, ErrSettings, "--keep is a, it was not set"},
		{"a flag less", "", func(k *Key) { k.Settings = nil }, ErrSettings, "--top is none, it was 1"},
		{"a shard", "", func(k *Key) { k.Shard = Shard{1, 3} }, ErrSettings, "--shard is 1/3, it was none"},
		{"another revision", "", func(k *Key) { k.Revision = "abc" }, ErrRevision, "abc would answer, it was "},
		{"other rows of a shard", "", func(k *Key) { k.Rows = 9 }, ErrInput, "it has 9 rows, it had 0"},
		{"another digest of a shard", "", func(k *Key) { k.Hash = "9" }, ErrInput, "a row is not what it was"},
	} {
		tr := newTrial(t, strings.Replace(file, "unknown 0", "unknown0", 1))
		if _, err := tr.run(tr.key(), Fresh, 10); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		before := tr.read(tr.out + ".checkpoint")
		if c.input != "" {
			tr.write(tr.input, c.input)
		}
		key := tr.key()
		if c.change != nil {
			c.change(&key)
		} else if c.name == "another row among those that were scored" {
			key.Files[0].Size = int64(len(file) - 1) // the same, as far as a look at the file can tell
		}
		_, err := tr.run(key, Resume, 0)
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %q", c.name, err, c.want)
		}
		if tr.read(tr.out+".checkpoint") != before || tr.exists() {
			t.Errorf("%s: the run before has not been left alone", c.name)
		}
	}
}

// Of an input that has become shorter than what was scored, whatever its size.
func TestInputThatLacksRows(t *testing.T) {
	in := newInput(jobOf(nil, "{\"text\": \"goal\"}\n").Sources, unlabelled)
	var last error
	for _, err := range in.from(t.Context(), 5, -1, 5, "00") {
		last = err
	}
	if !errors.Is(last, ErrInput) || !strings.Contains(last.Error(), "it has 1 rows, 5 were scored") {
		t.Errorf("got error %v", last)
	}
}

func TestOneRunAtATime(t *testing.T) {
	tr := newTrial(t, varied(10))
	f, err := OpenFile(tr.out, tr.key(), Fresh)
	if err != nil {
		t.Fatal(err)
	}
	defer f.f.Close()
	for _, start := range []Start{Resume, Overwrite} {
		if _, err := OpenFile(tr.out, tr.key(), start); err == nil || !strings.Contains(err.Error(), "another run writes to it") {
			t.Errorf("got error %v", err)
		}
	}
}

// A run without a row leaves nothing, one with an error what comes before it.
func TestFailedRuns(t *testing.T) {
	tr := newTrial(t, `{"body": "goal"}`)
	if _, err := tr.run(tr.key(), Fresh, 0); err == nil {
		t.Error("a file without texts is taken")
	}
	if left, _ := filepath.Glob(tr.out + "*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestBrokenCheckpoints(t *testing.T) {
	tr := newTrial(t, varied(10))
	for text, want := range map[string]string{
		"":                          "is no checkpoint: EOF",
		"{":                         "is no checkpoint: unexpected EOF",
		"[]":                        "is no checkpoint: ",
		`{"version": 1, "more": 1}`: "unknown field",
		`{"version": 2}`:            "has version 2, this program reads 1",
		`{"version": 1, "state": {"output_bytes": -1}}`: "it counts 0 rows, -1 bytes",
		`{"version": 1, "state": {"rows_read": -1}}`:    "it counts -1 rows",
	} {
		tr.write(tr.out+".checkpoint", text)
		if _, err := tr.run(tr.key(), Resume, 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want %q", text, err, want)
		}
	}
	if _, err := tr.run(tr.key(), Overwrite, 0); err != nil {
		t.Error(err)
	}
}

// Of a run that may have no more than some errors, what is written ends with the
// one that was too many; it goes on when it may have more.
func TestMaxErrors(t *testing.T) {
	file := strings.Repeat("{\"text\": \"goal\"}\n{broken\n", 2*batchRows)
	for _, most := range []int{0, 1, 49, 50, 51, 199, 200} {
		var b strings.Builder
		j := jobOf(mustLocal(t, Options{}), file)
		j.MaxErrors = most
		s, err := j.Run(t.Context(), State{}, &b, nil)
		if most == 200 {
			if err != nil || s.Summary.Errors != 200 {
				t.Errorf("%d errors: got %+v, error %v", most, s, err)
			}
			continue
		}
		tooMany, ok := errors.AsType[*TooManyError](err)
		if !ok || !strings.HasPrefix(tooMany.Row.Message, fmt.Sprintf("f0.jsonl:%d: ", 2*most+2)) {
			t.Errorf("%d errors: got error %v", most, err)
		}
		if got := strings.Count(b.String(), "\n"); got != 2*most+2 || s.Read > int64(got) {
			t.Errorf("%d errors: %d rows are written, state %+v", most, got, s)
		}
	}
}

// A run that goes on may have had more errors than it may have now: it ends at
// the next one.
func TestFewerErrorsThanBefore(t *testing.T) {
	good, bad := strings.Repeat("{\"text\": \"goal\"}\n", 3*batchRows), "{broken\n"
	j := jobOf(mustLocal(t, Options{}), good+bad+good)
	j.MaxErrors = 3
	s, err := j.Run(t.Context(), State{Summary: Summary{Rows: 10, Errors: 10}}, io.Discard, nil)
	if _, ok := errors.AsType[*TooManyError](err); !ok || s.Read != 3*batchRows {
		t.Errorf("got error %v after %d rows", err, s.Read)
	}
}
