package score

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/parley-nlp/parley/internal/dataset"
)

// A Shard is one of Of equal parts of the rows of an input; Index counts from 0,
// as Kubernetes counts the pods of an indexed job. The zero value is no shard.
type Shard struct {
	Index int `json:"index"`
	Of    int `json:"of"`
}

// String is "I/N", or "none".
func (s Shard) String() string {
	if s.Of == 0 {
		return "none"
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Of)
}

// maxShards bounds Shard.Of.
const maxShards = 1 << 20

// ParseShard reads "I/N".
func ParseShard(s string) (Shard, error) {
	index, of, ok := strings.Cut(s, "/")
	i, err1 := strconv.Atoi(index)
	n, err2 := strconv.Atoi(of)
	if !ok || err1 != nil || err2 != nil || n < 1 || n > maxShards || i < 0 || i >= n {
		return Shard{}, fmt.Errorf("shard %q: want I/N, with I from 0 to N-1 and N to %d", s, maxShards)
	}
	return Shard{i, n}, nil
}

// Range returns the rows of the shard among so many.
func (s Shard) Range(rows int64) Range {
	at := func(i int) int64 { return rows/int64(s.Of)*int64(i) + rows%int64(s.Of)*int64(i)/int64(s.Of) }
	return Range{at(s.Index), at(s.Index + 1)}
}

// Count reads all rows of sources, which must be such that can be read again,
// and returns how many there are and their digest.
func Count(ctx context.Context, sources []dataset.Source, o dataset.Options) (rows int64, hash string, err error) {
	in := newInput(sources, o)
	for _, err := range in.rows(ctx) {
		if err != nil {
			return 0, "", err
		}
	}
	return in.read, in.hash(), nil
}

// A ShardInfo says what a shard's output is of. It lies beside it as JSON, in
// FILE.shard.json.
type ShardInfo struct {
	Version int    `json:"version"`
	Shard   Shard  `json:"shard"`
	Range   Range  `json:"rows"`
	Format  Format `json:"format"`
	Key     Key    `json:"key"`
	State   State  `json:"state"`
	Output  string `json:"output_digest"`
}

const shardVersion = 1

func shardName(path string) string { return path + ".shard.json" }

// write writes the info of a shard whose rows are in a file.
func (i ShardInfo) write(path string, rows io.Reader) error {
	digest := xxhash.New()
	if _, err := io.Copy(digest, rows); err != nil {
		return err
	}
	i.Version, i.Output = shardVersion, renderHash(digest.Sum64())
	return writeJSON(shardName(path), i)
}

// readShard reads the info of a shard's output.
func readShard(path string) (ShardInfo, error) {
	var i ShardInfo
	b, err := os.ReadFile(shardName(path))
	if err != nil {
		return i, fmt.Errorf("%s is no complete shard: %w", path, err)
	}
	if err := unmarshalStrict(b, &i); err != nil {
		return i, fmt.Errorf("%s: %w", shardName(path), err)
	}
	if i.Version != shardVersion {
		return i, fmt.Errorf("%s has version %d, this program reads %d", shardName(path), i.Version, shardVersion)
	}
	if i.Shard.Of < 1 || i.Shard.Of > maxShards || i.Shard.Index < 0 || i.Shard.Index >= i.Shard.Of || i.Range != i.Shard.Range(i.Key.Rows) {
		text, _ := json.Marshal(i.Range)
		return i, fmt.Errorf("%s: shard %d of %d cannot have the rows %s of %d", shardName(path), i.Shard.Index, i.Shard.Of, text, i.Key.Rows)
	}
	return i, nil
}
