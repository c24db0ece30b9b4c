package score

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// Shards are the outputs of all shards of one run, in order.
type Shards struct {
	paths []string
	infos []ShardInfo
}

// OpenShards reads what is known of outputs of shards. They must be all shards
// of one run: the same input, flags and revision.
func OpenShards(paths []string) (*Shards, error) {
	s := &Shards{}
	for _, path := range paths {
		info, err := readShard(path)
		if err != nil {
			return nil, err
		}
		if s.infos == nil {
			s.infos, s.paths = make([]ShardInfo, info.Shard.Of), make([]string, info.Shard.Of)
		}
		if err := s.add(path, paths[0], info); err != nil {
			return nil, err
		}
	}
	return s, s.complete()
}

// add takes one in.
func (s *Shards) add(path, first string, info ShardInfo) error {
	if len(s.infos) != info.Shard.Of {
		return fmt.Errorf("%s is one of %d shards, %s is one of %d", path, info.Shard.Of, first, len(s.infos))
	}
	i := info.Shard.Index
	if s.paths[i] != "" {
		return fmt.Errorf("%s and %s are both shard %d of %d", s.paths[i], path, i, info.Shard.Of)
	}
	s.paths[i], s.infos[i] = path, info
	return nil
}

// complete returns an error when a shard is missing, or is of another run.
func (s *Shards) complete() error {
	if len(s.paths) == 0 {
		return errors.New("there are no shards")
	}
	var missing []string
	for i, path := range s.paths {
		if path == "" && len(missing) < 20 {
			missing = append(missing, fmt.Sprint(i))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("of %d shards these are not there: %s", len(s.paths), strings.Join(missing, ", "))
	}
	first := slices.IndexFunc(s.infos, func(i ShardInfo) bool { return i.Key.Revision != "" })
	for i := range s.infos { // a shard of bad rows, or of none, has no revision
		key := s.infos[i].Key
		key.Shard = s.infos[max(first, 0)].Key.Shard
		if key.Revision == "" && first >= 0 {
			key.Revision = s.infos[first].Key.Revision
		}
		if err := key.Check(s.infos[max(first, 0)].Key); err != nil {
			return fmt.Errorf("%s is not of the run of %s: %w", s.paths[i], s.paths[max(first, 0)], err)
		}
		if s.infos[i].Format != s.infos[0].Format {
			return fmt.Errorf("%s is %s, %s is %s", s.paths[i], s.infos[i].Format, s.paths[0], s.infos[0].Format)
		}
	}
	return nil
}

// Summary counts the rows of all shards.
func (s *Shards) Summary() Summary {
	var total Summary
	for _, info := range s.infos {
		total.Add(info.State.Summary)
	}
	return total
}

// Merge writes the rows of all shards: the bytes of the run that was not cut
// into shards. It checks that no shard has changed.
func (s *Shards) Merge(w io.Writer) error {
	for i, path := range s.paths {
		if err := s.infos[i].copy(w, path, i > 0); err != nil {
			return err
		}
	}
	return nil
}

// copy writes the rows of a shard, without their header unless it is the first.
func (i ShardInfo) copy(w io.Writer, path string, skipHeader bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	digest := xxhash.New()
	rows := io.TeeReader(f, digest)
	if skipHeader {
		if _, err := io.CopyN(io.Discard, rows, i.State.Header); err != nil && err != io.EOF {
			return err
		}
	}
	if _, err := io.Copy(w, rows); err != nil {
		return err
	}
	if renderHash(digest.Sum64()) != i.Output {
		return fmt.Errorf("%s has changed since the shard was scored", path)
	}
	return nil
}
