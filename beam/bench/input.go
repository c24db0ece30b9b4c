package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/parley-nlp/parley/data"
	"github.com/parley-nlp/parley/internal/dataset"
)

// input writes so many paragraphs into so many files, unless they are there.
func (b *bench) input(rows, files int) ([]string, error) {
	var names []string
	for i := range files {
		names = append(names, filepath.Join(b.Work, fmt.Sprintf("rows-%d-%02d-of-%02d.jsonl", rows, i, files)))
	}
	if _, err := os.Stat(names[files-1]); err == nil {
		return names, nil
	}
	list, err := paragraphs()
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		if err := writeRows(name, list, rows*i/files, rows*(i+1)/files); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// A paragraph of the built-in corpus, in two halves.
type paragraph struct{ begin, end, topic, stance string }

func paragraphs() ([]paragraph, error) {
	sources, err := dataset.FS(data.FS)
	if err != nil {
		return nil, err
	}
	var list []paragraph
	for _, s := range sources {
		for ex, err := range dataset.Rows(s, dataset.Options{Heads: []string{"topic", "stance"}}) {
			if err != nil {
				return nil, err
			}
			words := strings.SplitAfter(ex.Text, " ")
			half := len(words) / 2
			list = append(list, paragraph{strings.Join(words[:half], ""), strings.Join(words[half:], ""), ex.Labels[0], ex.Labels[1]})
		}
	}
	return list, nil
}

// writeRows writes a file that appears whole. A row has the first half of one
// paragraph, whose labels it takes, and the second half of another.
func writeRows(name string, list []paragraph, from, to int) error {
	f, err := os.Create(name + ".part")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	e := json.NewEncoder(w)
	for i := from; i < to; i++ {
		begin, end := list[i%len(list)], list[(i+i/len(list))%len(list)]
		row := map[string]string{
			"id": fmt.Sprintf("p%09d", i), "text": begin.begin + end.end, "source": fmt.Sprint("s", i%37),
			"topic": begin.topic, "stance": begin.stance,
		}
		if err := e.Encode(row); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
