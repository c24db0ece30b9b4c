package score

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestParseShard(t *testing.T) {
	for text, want := range map[string]Shard{
		"0/1": {0, 1}, "2/3": {2, 3}, "": {}, "1": {}, "3/3": {}, "-1/3": {}, "0/0": {}, "a/3": {}, "1/3/5": {}, "0/9999999": {},
	} {
		if got, err := ParseShard(text); got != want || (err == nil) != (want.Of > 0) {
			t.Errorf("%q: got %v, error %v, want %v", text, got, err, want)
		}
	}
}

// Shards are all rows, each once, and of sizes that differ by one at most.
func TestRangesOfShards(t *testing.T) {
	for _, rows := range []int64{0, 1, 2, 3, 10, 101, 1 << 62} {
		for _, n := range []int{1, 2, 3, 7, 1000} {
			end, least, most := int64(0), rows, int64(0)
			for i := range n {
				r := Shard{i, n}.Range(rows)
				if r.From != end || r.To < r.From {
					t.Fatalf("%d rows, shard %d of %d: %v after %d", rows, i, n, r, end)
				}
				end, least, most = r.To, min(least, r.To-r.From), max(most, r.To-r.From)
			}
			if end != rows || most-least > 1 {
				t.Errorf("%d rows, %d shards: end at %d, sizes from %d to %d", rows, n, end, least, most)
			}
		}
	}
}

// shard scores one shard into a file of its own.
func (t *trial) shard(s Shard, key Key) string {
	t.Helper()
	job := t.job(mustLocal(t, Options{}))
	var err error
	if key.Rows, key.Hash, err = Count(t.Context(), job.Sources, job.Data); err != nil {
		t.Fatal(err)
	}
	job.Range, key.Shard = s.Range(key.Rows), s
	path := fmt.Sprintf("%s-%d-of-%d", t.out, s.Index, s.Of)
	f, err := OpenFile(path, key, Overwrite)
	if err != nil {
		t.Fatal(err)
	}
	f.Shard = &ShardInfo{Shard: s, Range: job.Range, Format: t.format}
	if _, err := f.Run(func(s State, out io.Writer, mark func(State) error) (State, error) {
		return job.Run(t.Context(), s, out, mark)
	}); err != nil {
		t.Fatal(err)
	}
	return path
}

func (t *trial) shards(n int) []string {
	var paths []string
	for i := range n {
		paths = append(paths, t.shard(Shard{i, n}, t.key()))
	}
	return paths
}

// Shards in any order make the output that is not cut into shards.
func TestMerge(t *testing.T) {
	for _, format := range []Format{JSONL, CSV, TSV} {
		for _, rows := range []int{2, 1000} {
			tr := newTrial(t, varied(rows))
			tr.format = format
			want, state := tr.plain()
			for _, n := range []int{1, 2, 5} {
				paths := tr.shards(n)
				slices.Reverse(paths)
				shards, err := OpenShards(paths)
				if err != nil {
					t.Fatal(err)
				}
				var b strings.Builder
				if err := shards.Merge(&b); err != nil || b.String() != want {
					t.Errorf("%s, %d rows, %d shards: %d bytes, error %v, want %d", format, rows, n, b.Len(), err, len(want))
				}
				if got := shards.Summary(); fmt.Sprint(got) != fmt.Sprint(state.Summary) {
					t.Errorf("%d shards: got %+v, want %+v", n, got, state.Summary)
				}
			}
		}
	}
}

func TestShardsThatDoNotFit(t *testing.T) {
	tr := newTrial(t, varied(300))
	paths := tr.shards(3)
	other := tr.key()
	other.Settings = []Setting{{"--top", "3"}}
	foreign := newTrial(t, varied(300)).shards(3)
	two := tr.shards(2)
	for _, c := range []struct {
		paths []string
		want  string
	}{
		{nil, "there are no shards"},
		{paths[:2], "of 3 shards these are not there: 2"},
		{[]string{paths[1]}, "these are not there: 0, 2"},
		{[]string{paths[0], paths[1], paths[1]}, "are both shard 1 of 3"},
		{[]string{paths[0], two[1]}, "is one of 2 shards"},
		{[]string{paths[0], paths[1], foreign[2]}, "is not of the run of"},
		{[]string{paths[0], paths[1], tr.input}, "is no complete shard"},
	} {
		if _, err := OpenShards(c.paths); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got error %v, want %q", c.paths, err, c.want)
		}
	}
	tr.shard(Shard{1, 3}, other)
	if _, err := OpenShards(paths); err == nil || !strings.Contains(err.Error(), "--top is 3, it was 1") {
		t.Errorf("got error %v", err)
	}
	tr.shard(Shard{1, 3}, tr.key())
	tr.write(paths[1], strings.Replace(tr.read(paths[1]), "LABELED", "LABELLED", 1))
	shards, err := OpenShards(paths)
	if err != nil {
		t.Fatal(err)
	}
	if err := shards.Merge(io.Discard); err == nil || !strings.Contains(err.Error(), "has changed since") {
		t.Errorf("got error %v", err)
	}
	os.WriteFile(shardName(paths[0]), []byte(`{"version": 1, "shard": {"index": 0, "of": 3}}`+"\n"), 0o644)
	if _, err := OpenShards(paths); err == nil {
		t.Error("a shard without a key is taken")
	}
}
