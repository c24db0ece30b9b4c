package annotate

import (
	"slices"
	"strings"
	"unicode"
)

// spare are the keys for labels none of whose own letters is free.
const spare = "1234567890abcdefghijklmnopqrstuvwxyz"

// A choice is a label with its key; 0 when there were not enough.
type choice struct {
	key   rune
	label string
}

// choices gives labels keys: the first letter if that is free, else that of another
// word, else another letter, else what is left. A label of one character has its
// own. Keys of commands are no small letters or digits, so none is taken.
func choices(labels []string) []choice {
	list := make([]choice, len(labels))
	taken := map[rune]bool{}
	rounds := []func(label string) []rune{single, first, initials, letters, func(string) []rune { return []rune(spare) }}
	for i, label := range labels {
		list[i].label = label
	}
	for _, candidates := range rounds {
		for i := range list {
			for _, r := range candidates(list[i].label) {
				if list[i].key == 0 && !taken[r] {
					list[i].key, taken[r] = r, true
				}
			}
		}
	}
	return list
}

// keyOf is the key that a character of a label stands for, 0 for none: what can
// be typed without looking for it, on any keyboard.
func keyOf(r rune) rune {
	if r = unicode.ToLower(r); strings.ContainsRune(spare, r) {
		return r
	}
	return 0
}

func single(label string) []rune {
	if list := []rune(label); len(list) == 1 && keyOf(list[0]) != 0 {
		return []rune{keyOf(list[0])}
	}
	return nil
}

func first(label string) []rune { return initials(label)[:min(1, len(initials(label)))] }

func initials(label string) (list []rune) {
	for _, word := range strings.FieldsFunc(label, func(r rune) bool { return keyOf(r) == 0 }) {
		list = append(list, keyOf([]rune(word)[0]))
	}
	return list
}

func letters(label string) (list []rune) {
	for _, r := range label {
		if k := keyOf(r); k != 0 {
			list = append(list, k)
		}
	}
	return list
}

// byKey returns the label of a key.
func byKey(list []choice, key rune) (string, bool) {
	i := slices.IndexFunc(list, func(c choice) bool { return c.key != 0 && c.key == key })
	if i < 0 {
		return "", false
	}
	return list[i].label, true
}

// matching are the labels that begin with a text, whatever its case, or else those
// that hold it.
func matching(list []choice, text string) (found []string) {
	text = strings.ToLower(text)
	for _, holds := range []func(s, part string) bool{strings.HasPrefix, strings.Contains} {
		for _, c := range list {
			if holds(strings.ToLower(c.label), text) {
				found = append(found, c.label)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}
