package bayesian

import (
	"fmt"
	"maps"
	"slices"
)

// A decoder reads the value of a file.
type decoder struct {
	stream
	types  types
	root   typeID
	limits *limits
}

// The fields of the structs that are read, and their types. Versions of the
// library before tf-idf have none of those that are optional.
var (
	modelFields = map[string]fieldType{
		"Classes": {typ: "[]string"}, "Datas": {typ: "map[string]struct"}, "Learned": {typ: "int"}, "Seen": {typ: "int"},
		"TfIdf": {"bool", true}, "DidConvertTfIdf": {"bool", true},
	}
	classFields = map[string]fieldType{
		"Freqs": {typ: "map[string]float64"}, "Total": {typ: "int"},
		"FreqTfs": {"map[string][]float64", true},
	}
)

type fieldType struct {
	typ      string
	optional bool
}

// fieldsOf returns the fields of a struct after holding them against those that
// are wanted. A file with the others is one of the library too, but not the one
// asked for.
func (d *decoder) fieldsOf(id typeID, want, others map[string]fieldType) []structField {
	fields := d.types[id].fields
	missing := maps.Clone(want)
	for _, f := range fields {
		w, wanted := missing[f.name]
		typ := d.types.name(f.typ, 4)
		switch _, other := others[f.name]; {
		case other:
			d.fail("it holds a class where a model is wanted, or the other way round: classes are read from their folder")
		case !wanted:
			d.fail("field %q: not one of the library, or there twice", f.name)
		case typ != w.typ:
			d.fail("field %q is %s: want %s", f.name, typ, w.typ)
		}
		delete(missing, f.name)
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		if !missing[name].optional {
			d.fail("no field %q", name)
		}
	}
	return fields
}

// A file is the value of a whole model.
type file struct {
	classes          []string
	learned          int64
	datas            map[string]*Class
	tfIdf, converted bool
}

// model reads a struct of modelFields. How many texts the model has seen is of
// no use: the library's count overflows.
func (d *decoder) model() (m file) {
	fields := d.fieldsOf(d.root, modelFields, classFields)
	for f := -1; d.field(&f, len(fields)); {
		switch fields[f].name {
		case "Classes":
			m.classes = d.classNames()
		case "Learned":
			m.learned = d.int()
		case "Seen":
			d.int()
		case "Datas":
			m.datas = d.datas(d.types[fields[f].typ].elem)
		case "TfIdf":
			m.tfIdf = d.bool()
		case "DidConvertTfIdf":
			m.converted = d.bool()
		}
	}
	return m
}

// className reads the name of a class.
func (d *decoder) className() string {
	name := d.text("the name of a class", d.limits.maxClassBytes)
	if err := checkName(name); err != nil {
		d.fail("%w", err)
	}
	return name
}

// classCount reads a number of classes that take so many bytes at least.
func (d *decoder) classCount(least int) int {
	n := d.count("classes", least)
	if n > d.limits.classes {
		d.fail("%d classes: want at most %d", n, d.limits.classes)
	}
	return n
}

func (d *decoder) classNames() (names []string) {
	n := d.classCount(1)
	for i := 0; i < n && d.err == nil; i++ {
		names = append(names, d.className())
	}
	return names
}

func (d *decoder) datas(elem typeID) map[string]*Class {
	fields := d.fieldsOf(elem, classFields, modelFields)
	classes := map[string]*Class{}
	n := d.classCount(2)
	for i := 0; i < n && d.err == nil; i++ {
		name := d.className()
		if classes[name] != nil {
			d.fail("class %q has words twice", name)
		}
		classes[name] = d.class(name, fields)
	}
	return classes
}

// class reads a struct of classFields.
func (d *decoder) class(name string, fields []structField) *Class {
	if d.err != nil {
		return nil
	}
	c := &Class{name: name}
	var sampled []string
	for f := -1; d.field(&f, len(fields)); {
		switch fields[f].name {
		case "Freqs":
			c.words = d.words()
		case "FreqTfs":
			sampled, c.samples = d.samples()
		case "Total":
			c.total = d.int()
		}
	}
	if d.err == nil {
		d.err = c.finish(sampled)
	}
	if d.err != nil {
		d.err = fmt.Errorf("class %q: %w", name, d.err)
	}
	return c
}

// wordCount reads a number of words that take two bytes at least.
func (d *decoder) wordCount() int {
	n := d.count("words", 2)
	if n > d.limits.words {
		d.fail("%d words, of which %d may be read", n, d.limits.words)
		return 0
	}
	d.limits.words -= n
	return n
}

// words reads frequencies by word.
func (d *decoder) words() []word {
	words := make([]word, d.wordCount())
	for i := range words {
		words[i].text = d.text("a word", d.limits.maxWordBytes)
		words[i].frequency = d.float()
	}
	return words
}

// samples reads term frequencies by word and returns the words, and how many
// term frequencies they have together. These themselves are not kept: they tell
// a tf-idf model apart, and no score is made of them.
func (d *decoder) samples() (words []string, total int64) {
	words = make([]string, d.wordCount())
	for i := range words {
		words[i] = d.text("a word", d.limits.maxWordBytes)
		n := d.count("term frequencies", 1)
		if n == 0 {
			d.fail("word %.100q: an empty list of term frequencies", words[i])
		}
		for range n {
			d.float()
		}
		total += int64(n)
	}
	return words, total
}

// classifier puts the classes in their order and takes up what the file says.
func (m *file) classifier() (*Classifier, error) {
	var classes []*Class
	for _, name := range m.classes {
		class := m.datas[name]
		if class == nil {
			return nil, fmt.Errorf("%w: class %q has no words: the file lists it and nothing more", ErrFormat, name)
		}
		classes = append(classes, class)
	}
	kind, err := m.kind(classes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	c, err := newClassifier(kind, classes)
	if err != nil {
		return nil, err
	}
	if m.learned < 0 || m.learned > maxCount {
		return nil, fmt.Errorf("%w: %d documents learned: want 0 to %d", ErrFormat, m.learned, int64(maxCount))
	}
	c.documents = m.learned
	c.unlisted = m.unlisted()
	return c, nil
}

// kind returns the kind of a model by what it says and what it has: a plain one
// can be converted as well, to no effect.
func (m *file) kind(classes []*Class) (Kind, error) {
	kind := Plain
	if m.tfIdf && !m.converted {
		kind = Unconverted
	}
	for _, class := range classes {
		if class.weighted && kind == Unconverted {
			return 0, fmt.Errorf("class %q: %w, though the model is not converted to tf-idf", class.name, class.uncounted())
		}
		if class.weighted {
			kind = Converted
		}
	}
	return kind, nil
}

// unlisted returns the classes that have words without being listed, ascending.
func (m *file) unlisted() []string {
	names := maps.Clone(m.datas)
	for _, name := range m.classes {
		delete(names, name)
	}
	return slices.Sorted(maps.Keys(names))
}
