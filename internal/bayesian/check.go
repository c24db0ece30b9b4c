package bayesian

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxCount is the highest count: beyond 2^53 the library, which counts in
// float64, no longer counts up.
const maxCount = 1 << 53

// checkName returns an error unless text is UTF-8 and not empty.
func checkName(text string) error {
	switch {
	case text == "":
		return errors.New("a class without a name")
	case !utf8.ValidString(text):
		return fmt.Errorf("the name of class %q is not UTF-8", text)
	}
	return nil
}

// finish sorts the words of a class as it was read, checks all that it holds,
// and finds out whether its frequencies are counts. Words that are sampled have
// term frequencies.
//
// Learn and Observe add to frequencies and total alike, so counts are whole
// numbers that add up to the total. Conversion to tf-idf replaces the frequency
// of each sampled word and leaves the total: these frequencies may thus be any
// numbers, and no others. Each term frequency is that of a word in a document,
// so there are no more of them than words learned.
func (c *Class) finish(sampled []string) error {
	slices.SortFunc(c.words, func(a, b word) int { return strings.Compare(a.text, b.text) })
	for i, w := range c.words {
		if i > 0 && w.text == c.words[i-1].text {
			return fmt.Errorf("word %.100q is there twice", w.text)
		}
		if err := w.check(); err != nil {
			return fmt.Errorf("word %.100q: %w", w.text, err)
		}
	}
	if c.total < 0 || c.total > maxCount {
		return fmt.Errorf("%d words learned: want 0 to %d", c.total, int64(maxCount))
	}
	if c.samples > c.total {
		return fmt.Errorf("%d term frequencies in %d words learned", c.samples, c.total)
	}
	if err := c.checkSampled(sampled); err != nil {
		return err
	}
	err := c.uncounted()
	c.weighted = err != nil && len(sampled) > 0
	if c.weighted {
		return nil
	}
	return err
}

// checkSampled returns an error unless the sampled words are words of the class
// and all others have whole frequencies.
func (c *Class) checkSampled(sampled []string) error {
	slices.Sort(sampled)
	for i, text := range sampled {
		if i > 0 && text == sampled[i-1] {
			return fmt.Errorf("word %.100q has term frequencies twice", text)
		}
		if _, found := c.find(text); !found {
			return fmt.Errorf("word %.100q has term frequencies, and no frequency", text)
		}
	}
	for _, w := range c.words {
		if _, found := slices.BinarySearch(sampled, w.text); !found && !w.whole() {
			return fmt.Errorf("word %.100q: frequency %v is not a whole number", w.text, w.frequency)
		}
	}
	return nil
}

func (w word) whole() bool { return w.frequency == math.Trunc(w.frequency) }

func (w word) check() error {
	if !utf8.ValidString(w.text) {
		return errors.New("it is not UTF-8")
	}
	if !(w.frequency >= 0 && w.frequency <= maxCount) {
		return fmt.Errorf("frequency %v: want 0 to %d", w.frequency, int64(maxCount))
	}
	return nil
}

// uncounted returns what shows that the frequencies of c are not counts, or nil
// when they are whole numbers that add up to the total.
func (c *Class) uncounted() error {
	sum := int64(0)
	for _, w := range c.words {
		if !w.whole() {
			return fmt.Errorf("word %.100q: frequency %v is not a whole number", w.text, w.frequency)
		}
		if sum += int64(w.frequency); sum > c.total {
			return fmt.Errorf("word %.100q: its frequency %v brings the sum to %d, of %d words learned", w.text, w.frequency, sum, c.total)
		}
	}
	if sum < c.total {
		return fmt.Errorf("the frequencies add up to %d, of %d words learned", sum, c.total)
	}
	return nil
}
