package predictionlog

import (
	"strings"
	"unicode"
)

// A Match tells whether the text of a row is one to erase. A text that is cut is
// the beginning of what was sent: the server read no more.
type Match func(text string, cut bool) bool

// Matching matches texts in the ways in which a server may have logged them: whole
// or cut, and with some of it redacted. Which patterns the server had does not
// matter, since "[redacted]" is taken to stand for anything. So a row goes, too,
// that differs from a text only in what was redacted: nobody can tell any more
// whether it was that text. Of a row that is redacted altogether nothing is left
// to erase.
func Matching(texts []string) Match {
	whole := map[string]bool{}
	for _, t := range texts {
		whole[t] = true
	}
	return func(logged string, cut bool) bool {
		if whole[logged] {
			return true
		}
		parts := strings.Split(logged, redacted)
		if !strings.ContainsFunc(strings.Join(parts, ""), isSign) || len(parts) == 1 && !cut {
			return false
		}
		for t := range whole {
			if couldBe(t, parts, cut) {
				return true
			}
		}
		return false
	}
}

func isSign(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r) }

// couldBe tells whether text consists of the parts in their order with anything
// between them, and after them when it was cut.
func couldBe(text string, parts []string, cut bool) bool {
	rest, found := strings.CutPrefix(text, parts[0])
	if !found {
		return false
	}
	last := len(parts) - 1
	for i := 1; i <= last; i++ {
		if i == last && !cut {
			return strings.HasSuffix(rest, parts[i])
		}
		if _, rest, found = strings.Cut(rest, parts[i]); !found {
			return false
		}
	}
	return cut || rest == ""
}
