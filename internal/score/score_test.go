package score

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/parley-nlp/parley/client"
	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// varied returns a file of n rows: texts of known and unknown words and of odd
// characters, with ids and targets and without, and rows that cannot be scored.
func varied(n int) string {
	rng := rand.New(rand.NewPCG(3, 4))
	odd := []string{
		"qwrtz unheard", "👍🏽 goal — great!", "E\u0301te\u0301 match", "<b>goal</b> & \"cup\"", "a\u2028b shares", "\x00goal\x1f",
		"   ", "", "...", "goal", "https://a.b/c #goal @match", "平和 talks", strings.Repeat("late goal ", 3000),
	}
	var b strings.Builder
	for i := range n {
		row := map[string]any{"text": paragraph(rng, rng.IntN(3)) + fmt.Sprint(" unknown", i)}
		switch rng.IntN(8) {
		case 0, 1:
			row["text"] = odd[rng.IntN(len(odd))]
		case 2:
			row["text"] = 5 + i
		case 3:
			delete(row, "text")
		}
		if rng.IntN(2) == 0 {
			row["id"] = fmt.Sprint("id<", i, ">")
		}
		if n := rng.IntN(12); n < 8 {
			row["target"] = []any{targets[0], targets[1], strings.ToUpper(targets[0]), "the rain", " ", 7, nil, strings.Repeat("é", 129)}[n]
		}
		line, _ := json.Marshal(row)
		b.Write(line)
		b.WriteByte('\n')
		if rng.IntN(20) == 0 {
			b.WriteString("{broken\n")
		}
	}
	long, _ := json.Marshal(map[string]string{"text": strings.Repeat("goal ", MaxDocumentBytes/5+1)})
	return b.String() + string(long) + "\n"
}

func ptr(p float64) *float64 { return &p }

func TestRemoteAnswersAreThoseOfTheLocalModel(t *testing.T) {
	for name, m := range map[string]*model.Model{"plain": testModel(t), "with targets and sets": targetModel(t)} {
		t.Run(name, func(t *testing.T) { checkRemoteIsLocal(t, m) })
	}
}

func checkRemoteIsLocal(t *testing.T, m *model.Model) {
	file := varied(400)
	c := startWith(t, m, client.WithBatches(7, 1<<20, 3)) // many calls, in flight together
	for _, o := range []Options{
		{},
		{Top: -1},
		{Top: 2, Heads: []string{"stance"}},
		{Top: 99, Heads: []string{"stance", "topic"}},
		{MinProbability: ptr(0)},
		{MinProbability: ptr(0.9)},
		{MinProbability: ptr(1)},
		{MinMargin: 0.5, Evidence: 3},
		{MinMargin: 1, MinProbability: ptr(0.2), Top: 3, Evidence: 50},
	} {
		want, wantSummary, err := run(mustLocalWith(t, m, o), file)
		if err != nil {
			t.Fatal(err)
		}
		got, summary, err := run(mustRemote(t, c, o), file)
		if err != nil {
			t.Fatal(err)
		}
		if summary != wantSummary || summary.Rows < 400 || summary.Errors < 50 || summary.Errors > 200 {
			t.Errorf("%+v: remote %+v, local %+v", o, summary, wantSummary)
		}
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				t.Fatalf("%+v, line %d of %d and %d: remote and local differ:\n%.500s\n%.500s", o, i, len(got), len(want), got[min(i, len(got)-1)], want[min(i, len(want)-1)])
			}
		}
	}
}

func TestEveryDecisionIsMade(t *testing.T) {
	lines, _, err := run(mustLocal(t, Options{MinProbability: ptr(0.5), MinMargin: 0.9}), varied(400))
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(lines, "\n")
	for _, want := range []string{"LABELED", "NO_EVIDENCE", "OUT_OF_DOMAIN", "LOW_CONFIDENCE", "AMBIGUOUS"} {
		if !strings.Contains(all, `"decision":"`+want+`"`) {
			t.Errorf("no row has the decision %s", want)
		}
	}
}

func TestRowsKeepTheirOrderAndNames(t *testing.T) {
	var first strings.Builder
	var want []string
	for i := range 2*batchRows + 10 {
		if i%2 == 0 {
			fmt.Fprintf(&first, "{\"id\": \"row %d\", \"text\": \"goal %d\"}\n", i, i)
			want = append(want, fmt.Sprint("row ", i))
		} else {
			fmt.Fprintf(&first, "{\"text\": \"goal %d\"}\n", i)
			want = append(want, fmt.Sprintf("f0.jsonl:%d", i+1))
		}
	}
	lines, s, err := run(mustLocal(t, Options{}), first.String(), "{\"text\": \"talks\"}\n")
	want = append(want, "f1.jsonl:1")
	if err != nil || s != (count{Rows: int64(len(want))}) {
		t.Fatalf("got %+v, error %v, want %d rows", s, err, len(want))
	}
	var got []string
	for _, line := range lines {
		var row struct{ ID string }
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		got = append(got, row.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got ids %q, want %q", got, want)
	}
}

func TestRowsThatCannotBeScored(t *testing.T) {
	long := fmt.Sprintf(`{"id": "long", "text": %q}`, strings.Repeat("x", MaxDocumentBytes+1))
	file := `{"text": "goal"}` + "\n{broken\n" + `{"id": "blank", "text": " "}` + "\n" + long + "\n"
	lines, s, err := run(mustLocal(t, Options{}), file)
	if err != nil || s != (count{Rows: 4, Errors: 3}) {
		t.Fatalf("got %+v, error %v, want 4 rows of which 3 errors", s, err)
	}
	for i, want := range []string{
		`{"id":"f0.jsonl:1","predictions":{"topic":{`,
		`{"id":"f0.jsonl:2","error":{"code":"INVALID_ARGUMENT","message":"f0.jsonl:2: `,
		`{"id":"blank","error":{"code":"INVALID_ARGUMENT","message":"f0.jsonl:3: the text is empty"}}`,
		`{"id":"long","error":{"code":"INVALID_ARGUMENT","message":"f0.jsonl:4: the text has 1048577 bytes, the limit is 1048576"}}`,
	} {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d: got %s, want %s...", i, lines[i], want)
		}
	}
}

func TestFinalErrorComesAfterWhatWasRead(t *testing.T) {
	const good = "{\"text\": \"goal\"}\n"
	for _, c := range []struct {
		name  string
		files []string
		rows  int
	}{
		{"an empty file", []string{""}, 0},
		{"an empty file behind another", []string{good + good, ""}, 2},
		{"a file that is no text behind another", []string{good, "\x1f\x8b broken gzip"}, 1},
		{"a file without texts behind a full chunk", []string{strings.Repeat(good, batchRows), `{"body": "goal"}`}, batchRows},
		{"nothing after the error", []string{good, "", good}, 1},
	} {
		lines, s, err := run(mustLocal(t, Options{}), c.files...)
		if err == nil || len(lines) != c.rows || s.Rows != int64(c.rows) {
			t.Errorf("%s: got %d lines, %+v and error %v, want %d and an error", c.name, len(lines), s, err, c.rows)
		}
	}
	if _, _, err := run(mustLocal(t, Options{}), ""); !errors.Is(err, dataset.ErrNoRows) {
		t.Errorf("got error %v, want %v", err, dataset.ErrNoRows)
	}
}

// A recorder is a classifier that remembers how many documents came together and
// cancels its context after some calls.
type recorder struct {
	Classifier
	cancel context.CancelFunc
	after  int

	mu    sync.Mutex
	sizes []int
}

func (r *recorder) Classify(ctx context.Context, documents []Document) ([]Row, error) {
	rows, err := r.Classifier.Classify(ctx, documents)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sizes = append(r.sizes, len(documents)); len(r.sizes) == r.after {
		r.cancel()
	}
	return rows, err
}

func TestBatchesAreOfSoManyRowsAndBytes(t *testing.T) {
	row := func(size int) string { return fmt.Sprintf("{\"text\": %q}\n", strings.Repeat("x", size)) }
	for _, c := range []struct {
		name string
		file string
		want []int
	}{
		{"few rows", strings.Repeat(row(1), 3), []int{3}},
		{"a batch of rows", strings.Repeat(row(1), batchRows), []int{batchRows}},
		{"a row more", strings.Repeat(row(1), batchRows+1), []int{batchRows, 1}},
		{"long rows", strings.Repeat(row(batchBytes/4), 9), []int{4, 4, 1}},
		{"the longest rows", strings.Repeat(row(MaxDocumentBytes), 2), []int{1, 1}},
		{"a long row after a short one", row(1) + row(MaxDocumentBytes) + row(1), []int{1, 1, 1}},
		{"bad rows are not asked for", strings.Repeat("{broken\n", batchRows-1) + row(1) + row(1), []int{1, 1}},
		{"nothing but bad rows", row(0) + row(0), nil},
	} {
		r := &recorder{Classifier: mustLocal(t, Options{})}
		j := jobOf(r, c.file)
		j.Workers = 1
		if _, err := j.Run(t.Context(), State{}, io.Discard, nil); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(r.sizes, c.want) {
			t.Errorf("%s: got batches of %v, want %v", c.name, r.sizes, c.want)
		}
	}
}

// What is written when a run is cancelled are whole batches from the beginning,
// and the state is behind them.
func TestCancelledRunEnds(t *testing.T) {
	file := strings.Repeat("{\"text\": \"goal\"}\n", 50*batchRows)
	remote := mustRemote(t, start(t), Options{})
	for name, c := range map[string]Classifier{"local": mustLocal(t, Options{}), "remote": remote} {
		ctx, cancel := context.WithCancel(context.Background())
		r := &recorder{Classifier: c, cancel: cancel, after: 20}
		var out bytes.Buffer
		s, err := jobOf(r, file).Run(ctx, State{}, &out, nil)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got error %v, want %v", name, err, context.Canceled)
		}
		if rows := int64(strings.Count(out.String(), "\n")); rows != s.Read || rows%batchRows != 0 || s.Bytes != int64(out.Len()) || rows > 30*batchRows {
			t.Errorf("%s: %d lines and %d bytes, state %+v", name, rows, out.Len(), s)
		}
	}
}

// A fullDisk takes so many bytes and fails then.
type fullDisk struct{ left int }

var errFull = errors.New("no space left")

func (d *fullDisk) Write(b []byte) (int, error) {
	if len(b) > d.left {
		return 0, errFull
	}
	d.left -= len(b)
	return len(b), nil
}

func TestWriteErrorsEndTheRun(t *testing.T) {
	file := strings.Repeat("{\"text\": \"goal\"}\n", 20*batchRows)
	for _, room := range []int{0, 1000, 100_000, 400_000} {
		s, err := jobOf(mustLocal(t, Options{}), file).Run(t.Context(), State{}, &fullDisk{room}, nil)
		if !errors.Is(err, errFull) || s.Bytes > int64(room) {
			t.Errorf("room for %d bytes: got error %v behind %d bytes, want %v", room, err, s.Bytes, errFull)
		}
	}
}
