package bayesian

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Classifier is a model of the library. It never changes and is safe for all
// goroutines. It keeps the bytes of its files.
type Classifier struct {
	classes   []*Class
	unlisted  []string
	kind      Kind
	documents int64
	priors    []float64
}

// A Class is what the library has learned of one class.
type Class struct {
	name     string
	words    []word // ascending
	total    int64  // words learned, repetitions included
	samples  int64  // term frequencies of documents: none in a plain model
	weighted bool   // frequencies are tf-idf weights, no longer counts
}

// A word has a frequency in a class: how often it was learned or, in a class
// that is weighted, a sum of tf-idf weights. It may be 0, or the empty word.
type word struct {
	text      string
	frequency float64
}

// A Kind says what frequencies a model has.
type Kind int

// The kinds of models.
const (
	// Plain: counts.
	Plain Kind = iota
	// Unconverted is a tf-idf model in training: it has counts, and the library
	// panics when it is asked for scores.
	Unconverted
	// Converted is a tf-idf model that answers: its counts are lost.
	Converted
)

func (k Kind) String() string {
	switch k {
	case Plain:
		return "plain"
	case Unconverted:
		return "tf-idf, not converted"
	case Converted:
		return "tf-idf"
	}
	return fmt.Sprintf("kind %d", int(k))
}

// New makes a model of classes that were read one by one, in the order given.
// Their files do not say of what kind the model is: one of weighted classes is
// Converted, any other with term frequencies Unconverted.
func New(classes ...*Class) (*Classifier, error) {
	kind := Plain
	for _, class := range classes {
		if class.samples > 0 {
			kind = max(kind, Unconverted)
		}
		if class.weighted {
			kind = Converted
		}
	}
	return newClassifier(kind, classes)
}

func newClassifier(kind Kind, classes []*Class) (*Classifier, error) {
	if len(classes) < 2 {
		return nil, fmt.Errorf("%w: want at least 2 classes, not %d", ErrFormat, len(classes))
	}
	named := map[string]bool{}
	sum := int64(0)
	for _, class := range classes {
		if named[class.name] {
			return nil, fmt.Errorf("%w: class %q is there twice", ErrFormat, class.name)
		}
		named[class.name] = true
		if sum += class.total; sum > maxCount {
			return nil, fmt.Errorf("%w: more than %d words learned", ErrFormat, int64(maxCount))
		}
	}
	return &Classifier{classes: classes, kind: kind, priors: priors(classes, sum)}, nil
}

// priors returns each class's share of all words; zeros when there are none.
func priors(classes []*Class, sum int64) []float64 {
	shares := make([]float64, len(classes))
	for i, class := range classes {
		if sum > 0 {
			shares[i] = float64(class.total) / float64(sum)
		}
	}
	return shares
}

// Classes returns the names of the classes in the order of the file: that of
// all scores.
func (c *Classifier) Classes() []string {
	names := make([]string, len(c.classes))
	for i, class := range c.classes {
		names[i] = class.name
	}
	return names
}

// Unlisted returns the names, ascending, of classes that the file has words for
// but does not list. The library never answers with them; they come about when
// it reads the file of a class that its program does not name.
func (c *Classifier) Unlisted() []string { return slices.Clone(c.unlisted) }

// Kind returns what frequencies the model has.
func (c *Classifier) Kind() Kind { return c.kind }

// ErrNoCounts: a converted model has no counts. It is wrapped with the class
// and the word that show it.
var ErrNoCounts = errors.New("a tf-idf model has lost its word counts")

// Counts are what a plain or unconverted model has learned.
type Counts struct {
	Classes []ClassCounts // in the order of Classifier.Classes

	// Documents is the number learned, of all classes together: the library
	// keeps no more. Reading the file of a class counts as a document. 0 when
	// words were counted elsewhere and handed to the library, or when the model
	// was read from the files of its classes, which do not say.
	Documents int64
}

// ClassCounts are those of one class.
type ClassCounts struct {
	Name  string
	Words []WordCount // ascending by word
	Total int64       // their sum
}

// A WordCount says how often a word was learned. It may be 0, and the word
// empty: many programs split texts at every space.
type WordCount struct {
	Word  string
	Count int64
}

// Counts returns the counts, or ErrNoCounts from a Converted model. The caller
// may change what it gets.
func (c *Classifier) Counts() (Counts, error) {
	counts := Counts{Documents: c.documents}
	for _, class := range c.classes {
		if class.weighted {
			return Counts{}, fmt.Errorf("%w: class %q: %w", ErrNoCounts, class.name, class.uncounted())
		}
		words := make([]WordCount, len(class.words))
		for i, w := range class.words {
			words[i] = WordCount{w.text, int64(w.frequency)}
		}
		counts.Classes = append(counts.Classes, ClassCounts{class.name, words, class.total})
	}
	return counts, nil
}

// find returns the frequency of a word and whether the class has it.
func (c *Class) find(text string) (float64, bool) {
	i, found := slices.BinarySearchFunc(c.words, text, func(w word, text string) int {
		return strings.Compare(w.text, text)
	})
	if !found {
		return 0, false
	}
	return c.words[i].frequency, true
}
