package dataset_test

import (
	"fmt"
	"strings"

	"github.com/parley-nlp/parley/internal/dataset"
)

const labelled = `text,topic
"Talks began, then stalled.",summit
Talks resumed.
Grain prices fell.,economy
`

func ExampleRows() {
	src := dataset.Reader("rows.csv", strings.NewReader(labelled))
	for ex, err := range dataset.Rows(src, dataset.Options{Heads: []string{"topic"}}) {
		if err != nil {
			fmt.Println(err) // a *RowError, or the last error
			continue
		}
		fmt.Printf("%s:%d: %s: %s\n", ex.File, ex.Line, ex.Labels[0], ex.Text)
	}
	// Output:
	// rows.csv:2: summit: Talks began, then stalled.
	// rows.csv:3: want 2 fields as in the header, got 1
	// rows.csv:4: economy: Grain prices fell.
}

func ExampleReadAll() {
	set, err := dataset.ReadAll([]dataset.Source{
		dataset.Reader("a.csv", strings.NewReader(labelled)),
		dataset.Reader("b.jsonl", strings.NewReader(`{"text":"Grain prices fell.","topic":"summit","page":3}`)),
	}, dataset.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(set.Heads, len(set.Examples), "examples,", len(set.RowErrors), "bad row")
	for _, w := range set.Warnings {
		fmt.Println(w)
	}
	// Output:
	// [topic] 3 examples, 1 bad row
	// conflicting labels in 1 row: a.csv:4 and b.jsonl:1 (topic "economy" and "summit")
	// unused columns: b.jsonl ("page")
}

func ExampleColumnError_Hint() {
	src := dataset.Reader("-", strings.NewReader("body,section\nTalks stalled.,world\nGrain fell.,markets\n"))
	_, err := dataset.ReadAll([]dataset.Source{src}, dataset.Options{})
	fmt.Println(err)
	fmt.Println(err.(*dataset.ColumnError).Hint())
	// Output:
	// -: no text column "text"; the columns are "body", "section"
	// [--text-field body --head section]
}
