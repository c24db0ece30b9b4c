package annotate

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Commands, none of which is a key of a label. Each has a word for those who type
// lines.
const (
	cmdMore = ' '
	cmdSkip = '.'
	cmdUndo = '<'
	cmdFind = '/'
	cmdQuit = 'Q'
)

var words = map[string]Key{"skip": cmdSkip, "undo": cmdUndo, "quit": cmdQuit}

// A finder is a label's name as it is typed.
type finder struct{ text string }

// act does what was typed.
func (s *session) act(ctx context.Context, in typed) error {
	s.status = ""
	switch {
	case in.resized:
		s.page = 0
		return nil
	case in.isLine:
		return s.line(ctx, in.line)
	case s.find != nil:
		return s.search(ctx, in.key)
	}
	return s.key(ctx, in.key)
}

// key does what a key means.
func (s *session) key(ctx context.Context, key Key) error {
	switch key {
	case cmdMore:
		s.page++
	case cmdSkip:
		return s.skip(ctx)
	case cmdUndo, KeyBackspace:
		return s.back(ctx)
	case cmdFind:
		s.find = &finder{}
	case cmdQuit, KeyInterrupt:
		return errQuit
	case KeySuspend:
		return s.console.suspend()
	case KeyRedraw, KeyOther, KeyEnter, KeyTab, KeyEscape:
	case KeyPaste:
		s.status = "what was pasted is no answer"
	default:
		label, ok := byKey(s.choices(), rune(key))
		if !ok {
			s.status = fmt.Sprintf("%s is no key here", CleanLine(string(rune(key))))
			return nil
		}
		return s.give(ctx, label)
	}
	return nil
}

// afterAll does what was typed when there is nothing left: the last answer can be
// taken back.
func (s *session) afterAll(ctx context.Context, in typed) error {
	s.status = ""
	key := in.key
	if in.isLine {
		key = lineKey(in.line)
	}
	switch {
	case in.resized:
		return nil
	case key == cmdUndo, key == KeyBackspace:
		return s.back(ctx)
	case key == KeySuspend:
		return s.console.suspend()
	case key == cmdQuit, key == KeyInterrupt, key == KeyEnter:
		return errQuit
	}
	return nil
}

// lineKey is the key that a line or a word for a command stands for.
func lineKey(line string) Key {
	if key, ok := words[line]; ok {
		return key
	}
	if r := []rune(line); len(r) == 1 {
		return Key(r[0])
	}
	return KeyOther
}

// choices are those of the head that is asked for.
func (s *session) choices() []choice { return s.keys[s.task.Heads[s.head]] }

// search looks for a label by its name.
func (s *session) search(ctx context.Context, key Key) error {
	found := matching(s.choices(), s.find.text)
	switch key {
	case KeyEscape:
		s.find = nil
	case KeyInterrupt:
		return errQuit
	case KeyBackspace:
		runes := []rune(s.find.text)
		s.find.text = string(runes[:max(0, len(runes)-1)])
	case KeyTab:
		if len(found) > 0 {
			s.find.text = commonPrefix(found)
		}
	case KeyEnter:
		if i := slices.Index(found, s.find.text); i >= 0 {
			found = found[i : i+1]
		}
		if len(found) != 1 {
			s.status = fmt.Sprintf("%d labels match", len(found))
			return nil
		}
		s.find = nil
		return s.give(ctx, found[0])
	default:
		if key >= ' ' {
			s.find.text += string(rune(key))
		}
	}
	return nil
}

// line does what a line says: a label by its name, or a key, or the word for one.
func (s *session) line(ctx context.Context, line string) error {
	list := s.choices()
	if slices.ContainsFunc(list, func(c choice) bool { return c.label == line }) {
		return s.give(ctx, line)
	}
	if key := lineKey(line); key != KeyOther {
		return s.key(ctx, key)
	}
	if line != "" {
		s.status = fmt.Sprintf("%s is no label and no key here", fit(CleanLine(line), 40))
	}
	return nil
}

// commonPrefix is how all begin.
func commonPrefix(list []string) string {
	prefix := list[0]
	for _, s := range list[1:] {
		for !strings.HasPrefix(s, prefix) {
			r := []rune(prefix)
			prefix = string(r[:len(r)-1])
		}
	}
	return prefix
}
