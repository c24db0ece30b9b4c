package score

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/google/renameio/v2"
)

// A Checkpoint is how far an output file has come. It lies beside it as JSON, in
// FILE.checkpoint, until the output is complete.
type Checkpoint struct {
	Version  int   `json:"version"`
	Key      Key   `json:"key"`
	State    State `json:"state"`
	Complete bool  `json:"complete"` // FILE.partial only needs to get its name
}

const checkpointVersion = 1

// partialName and checkpointName are the files of a run whose output goes to
// path and is not complete.
func partialName(path string) string    { return path + ".partial" }
func checkpointName(path string) string { return path + ".checkpoint" }

// ReadCheckpoint reads the checkpoint of an output file; nil when there is none.
func ReadCheckpoint(path string) (*Checkpoint, error) {
	name := checkpointName(path)
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var c Checkpoint
	if err := unmarshalStrict(b, &c); err != nil {
		return nil, fmt.Errorf("%s is no checkpoint: %w", name, err)
	}
	if c.Version != checkpointVersion {
		return nil, fmt.Errorf("%s has version %d, this program reads %d", name, c.Version, checkpointVersion)
	}
	if s := c.State; s.Read < 0 || s.Bytes < s.Header || s.Header < 0 {
		return nil, fmt.Errorf("%s is no checkpoint: it counts %d rows, %d bytes and %d of a header", name, s.Read, s.Bytes, s.Header)
	}
	return &c, nil
}

// unmarshalStrict refuses members that v does not have.
func unmarshalStrict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// writeJSON writes v to a file that holds either what it held or v, whenever
// the machine stops.
func writeJSON(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return err
	}
	return renameio.WriteFile(name, append(b, '\n'), 0o644)
}
