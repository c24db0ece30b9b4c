package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/parley-nlp/parley/data"
	"github.com/parley-nlp/parley/internal/dataset"
)

// dataFlags say what all systems are trained and tested on.
type dataFlags struct {
	Data  string   `type:"existingdir" placeholder:"DIR" help:"Folder with train.jsonl and test.jsonl, perhaps with .gz. Default: the built-in corpus."`
	Train string   `type:"existingfile" placeholder:"FILE" help:"Training rows instead: JSONL with text and labels, perhaps with .gz."`
	Test  string   `type:"existingfile" placeholder:"FILE" help:"Test rows."`
	Head  []string `sep:"none" placeholder:"NAME" help:"Column of labels; repeat for several, of which the first is compared. Default: label; of the built-in corpus topic and stance."`
}

// A collection is the rows that all systems are trained and tested on: each
// text is one line.
type collection struct {
	heads       []string
	train, test []dataset.Example
	labels      []string // of the first head, ascending
}

// read reads the collection.
func (f dataFlags) read() (*collection, error) {
	if (f.Train == "") != (f.Test == "") || f.Train != "" && f.Data != "" {
		return nil, errors.New("want --data, or --train and --test, or none of them")
	}
	c := &collection{heads: f.Head}
	if len(c.heads) == 0 {
		c.heads = []string{"label"}
		if f.Data == "" && f.Train == "" {
			c.heads = []string{"topic", "stance"}
		}
	}
	training, test, err := f.sources()
	if err != nil {
		return nil, err
	}
	if c.train, err = c.rows(training); err != nil {
		return nil, err
	}
	if c.test, err = c.rows(test); err != nil {
		return nil, err
	}
	for _, ex := range slices.Concat(c.train, c.test) {
		c.labels = append(c.labels, ex.Labels[0])
	}
	slices.Sort(c.labels)
	c.labels = slices.Compact(c.labels)
	return c, nil
}

// sources returns those of the training and the test rows.
func (f dataFlags) sources() (training, test []dataset.Source, err error) {
	if f.Data == "" && f.Train == "" {
		return builtin("train.jsonl", "dev.jsonl"), builtin("test.jsonl"), nil
	}
	if f.Data != "" {
		if f.Train, err = part(f.Data, "train"); err != nil {
			return nil, nil, err
		}
		if f.Test, err = part(f.Data, "test"); err != nil {
			return nil, nil, err
		}
	}
	if training, err = dataset.Files([]string{f.Train}, nil); err != nil {
		return nil, nil, err
	}
	test, err = dataset.Files([]string{f.Test}, nil)
	return training, test, err
}

// builtin returns files of the embedded corpus.
func builtin(names ...string) []dataset.Source {
	var srcs []dataset.Source
	for _, name := range names {
		b, err := data.FS.ReadFile(name)
		if err != nil {
			panic(err) // a name above is wrong
		}
		srcs = append(srcs, dataset.Reader(name, bytes.NewReader(b)))
	}
	return srcs
}

// part returns the file of a part of a set.
func part(dir, name string) (string, error) {
	for _, ending := range []string{".jsonl", ".jsonl.gz"} {
		path := filepath.Join(dir, name+ending)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: no %s.jsonl, nor with .gz", dir, name)
}

// rows reads the rows that have a text and a label in each head.
func (c *collection) rows(srcs []dataset.Source) ([]dataset.Example, error) {
	set, err := dataset.ReadAll(srcs, dataset.Options{Heads: c.heads})
	if err != nil {
		return nil, err
	}
	if len(set.RowErrors) > 0 {
		return nil, set.RowErrors[0]
	}
	list := slices.DeleteFunc(set.Examples, func(ex dataset.Example) bool { return slices.Contains(ex.Labels, "") })
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no rows with labels", srcs[0].Name())
	}
	for i := range list {
		list[i].Text = strings.Join(strings.Fields(list[i].Text), " ")
	}
	return list, nil
}

// texts returns those of examples.
func texts(examples []dataset.Example) []string {
	list := make([]string, len(examples))
	for i, ex := range examples {
		list[i] = ex.Text
	}
	return list
}

// lengthOf is how many bytes texts have together.
func lengthOf(texts []string) int {
	n := 0
	for _, t := range texts {
		n += len(t)
	}
	return n
}

// documents makes texts of about so many bytes: texts are joined until they are
// long enough and then cut between two words.
func documents(texts []string, bytes int) []string {
	var list []string
	text := ""
	for _, t := range texts {
		text = strings.TrimSpace(text + " " + t)
		if len(text) >= bytes {
			list = append(list, cut(text, bytes))
			text = ""
		}
	}
	if len(list) == 0 && text != "" {
		list = append(list, text)
	}
	return list
}

// cut cuts a text after the last word that fits, or in a word that does not fit
// itself, between characters.
func cut(text string, bytes int) string {
	if len(text) <= bytes {
		return text
	}
	if at := strings.LastIndexByte(text[:bytes+1], ' '); at > 0 {
		return text[:at]
	}
	for bytes > 0 && !utf8.RuneStart(text[bytes]) {
		bytes--
	}
	return text[:bytes]
}

// writeJSONL writes rows as Parley's child reads them.
func (c *collection) writeJSONL(path string, examples []dataset.Example) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, ex := range examples {
		row := map[string]string{"text": ex.Text}
		if ex.Group != "" {
			row["group"] = ex.Group
		}
		for h, name := range c.heads {
			row[name] = ex.Labels[h]
		}
		if err := enc.Encode(row); err != nil {
			return err
		}
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}

// peerLabel is a label of the first head as the peers have it: fastText ends
// labels at a space.
func (c *collection) peerLabel(label string) string {
	at, _ := slices.BinarySearch(c.labels, label)
	return fmt.Sprintf("__label__%d", at)
}

// writePeers writes rows as the peers read them: a label and a text a line.
func (c *collection) writePeers(path string, examples []dataset.Example) error {
	var b bytes.Buffer
	for _, ex := range examples {
		fmt.Fprintf(&b, "%s %s\n", c.peerLabel(ex.Labels[0]), ex.Text)
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}

// writeLines writes copies of texts, one a line.
func writeLines(path string, texts []string, copies int) error {
	once := []byte(strings.Join(texts, "\n") + "\n")
	return os.WriteFile(path, bytes.Repeat(once, copies), 0o600)
}

// readLines reads what writeLines wrote once.
func readLines(path string) ([]string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n"), nil
}
