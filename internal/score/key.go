package score

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// ErrInput and ErrSettings are wrapped by the errors that refuse to go on with a
// run, or to merge shards, of other input or by other flags.
var (
	ErrInput    = errors.New("the input has changed")
	ErrSettings = errors.New("the flags have changed")
)

// A Key is what the output of a run follows from. What was read of the input is
// known by its digest (State.Hash) and read again when a run goes on, whatever
// its format and compression: so the times of files do not matter, and a file
// that is changed further on is the input that the rest of the run is about.
type Key struct {
	Files    []FileID  `json:"files"`
	Settings []Setting `json:"settings"`
	Revision string    `json:"revision"` // id
	Shard    Shard     `json:"shard,omitzero"`
	// Rows and Hash are those of the whole input, for a shard; else 0 and "".
	Rows int64  `json:"rows,omitempty"`
	Hash string `json:"digest,omitempty"`
}

// A FileID tells one input file from another.
type FileID struct {
	Name string `json:"name"`
	Size int64  `json:"size"` // in bytes; -1 for what has none, as standard input
}

// A Setting is a flag that the output depends on.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// FileIDs looks at files by their names.
func FileIDs(names []string) ([]FileID, error) {
	var list []FileID
	for _, name := range names {
		id := FileID{name, -1}
		info, err := os.Stat(name)
		switch {
		case name == "-" || errors.Is(err, fs.ErrNotExist): // reading it will tell
		case err != nil:
			return nil, err
		case info.Mode().IsRegular():
			id.Size = info.Size()
		}
		list = append(list, id)
	}
	return list, nil
}

// Check returns an error that says why a run of key k cannot go on with one
// that was of key was; nil when it can.
func (k Key) Check(was Key) error {
	if err := k.checkFiles(was); err != nil {
		return err
	}
	for _, s := range was.Settings {
		if is := k.setting(s.Name); is != s.Value {
			return fmt.Errorf("%w: %s is %s, it was %s", ErrSettings, s.Name, orNothing(is), orNothing(s.Value))
		}
	}
	for _, s := range k.Settings {
		if was.setting(s.Name) != s.Value {
			return fmt.Errorf("%w: %s is %s, it was not set", ErrSettings, s.Name, orNothing(s.Value))
		}
	}
	if k.Shard != was.Shard {
		return fmt.Errorf("%w: --shard is %s, it was %s", ErrSettings, k.Shard, was.Shard)
	}
	if k.Revision != was.Revision {
		return fmt.Errorf("%w: %s would answer, it was %s", ErrRevision, orNothing(k.Revision), orNothing(was.Revision))
	}
	return nil
}

func (k Key) checkFiles(was Key) error {
	for i, f := range k.Files {
		switch {
		case i >= len(was.Files):
			return fmt.Errorf("%w: %s is new", ErrInput, f.Name)
		case f.Name != was.Files[i].Name:
			return fmt.Errorf("%w: file %d is %s, it was %s", ErrInput, i+1, f.Name, was.Files[i].Name)
		case f.Size != was.Files[i].Size:
			return fmt.Errorf("%w: %s has %d bytes, it had %d", ErrInput, f.Name, f.Size, was.Files[i].Size)
		}
	}
	if n := len(k.Files); n < len(was.Files) {
		return fmt.Errorf("%w: %s is not given any more", ErrInput, was.Files[n].Name)
	}
	if k.Rows != was.Rows {
		return fmt.Errorf("%w: it has %d rows, it had %d", ErrInput, k.Rows, was.Rows)
	}
	if k.Hash != was.Hash {
		return fmt.Errorf("%w: a row is not what it was", ErrInput)
	}
	return nil
}

// setting returns the value of a setting, "" when there is none.
func (k Key) setting(name string) string {
	i := slices.IndexFunc(k.Settings, func(s Setting) bool { return s.Name == name })
	if i < 0 {
		return ""
	}
	return k.Settings[i].Value
}

func orNothing(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
