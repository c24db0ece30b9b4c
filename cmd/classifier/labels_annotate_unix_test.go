//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/rivo/uniseg"
	"golang.org/x/term"

	"github.com/parley-nlp/parley/internal/ledger"
)

// These tests run the real program on a real pseudo-terminal.

// A screen is a program on a terminal.
type screen struct {
	*testing.T
	cmd       *exec.Cmd
	terminal  *os.File // what a person has
	programs  *os.File // what the program has
	before    *term.State
	ended     chan error
	mu        sync.Mutex
	seen      []byte
	seenSince int // where the last answer was typed
}

// onTerminal starts the program on a terminal of so many columns and rows.
func onTerminal(t *testing.T, columns, rows uint16, args ...string) *screen {
	t.Helper()
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{T: t, terminal: ptmx, programs: tty, ended: make(chan error, 1)}
	s.resize(columns, rows)
	if s.before, err = term.GetState(int(tty.Fd())); err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command("classifier", args...)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = tty, tty, tty
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go s.read()
	go func() { s.ended <- s.cmd.Wait() }()
	t.Cleanup(func() {
		s.cmd.Process.Kill() // it has ended if the test went well
		tty.Close()
		ptmx.Close()
	})
	return s
}

func (s *screen) resize(columns, rows uint16) {
	s.Helper()
	if err := pty.Setsize(s.terminal, &pty.Winsize{Cols: columns, Rows: rows}); err != nil {
		s.Fatal(err)
	}
}

func (s *screen) read() {
	b := make([]byte, 4096)
	for {
		n, err := s.terminal.Read(b)
		s.mu.Lock()
		s.seen = append(s.seen, b[:n]...)
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// all is everything that was written.
func (s *screen) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.seen)
}

// until waits for a text that appears after what was typed last.
func (s *screen) until(want string) {
	s.Helper()
	for range 600 {
		if strings.Contains(s.all()[s.seenSince:], want) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.Fatalf("no %q within a minute on the screen:\n%q", want, s.all()[s.seenSince:])
}

// press types keys.
func (s *screen) press(keys string) {
	s.Helper()
	s.seenSince = len(s.all())
	if _, err := s.terminal.WriteString(keys); err != nil {
		s.Fatal(err)
	}
}

// quit presses Q until the program ends: a key that came before a text was drawn, once
// more as the terminal has another size, is no answer to it.
func (s *screen) quit() {
	s.Helper()
	for range 60 {
		_, _ = s.terminal.WriteString("Q") // the program may have ended
		select {
		case err := <-s.ended:
			s.ended <- err
			s.end()
			return
		case <-time.After(time.Second):
		}
	}
	s.end()
}

// now are the lines that are on the screen.
func (s *screen) now() []string {
	all := s.all()
	i := strings.LastIndex(all, "\x1b[H\x1b[2J")
	return strings.Split(all[i+len("\x1b[H\x1b[2J"):], "\r\n")
}

// end waits for the program's end and checks that the terminal is as it was. The
// exit code is -1 after a signal.
func (s *screen) end() (code int) {
	s.Helper()
	select {
	case <-s.ended:
	case <-time.After(time.Minute):
		s.Fatalf("the program does not end:\n%q", s.all())
	}
	after, err := term.GetState(int(s.programs.Fd()))
	if err != nil {
		s.Fatal(err)
	}
	if !reflect.DeepEqual(after, s.before) {
		s.Errorf("the terminal was %+v and is %+v", s.before, after)
	}
	s.seenSince = 0
	s.until("\x1b[?1049l")
	return s.cmd.ProcessState.ExitCode()
}

// queuedLedger makes a ledger with texts in its queue.
func queuedLedger(t *testing.T, items ...ledger.QueueItem) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "labels.db")
	withLabels(t, path, func(l *ledger.Ledger) {
		if n, err := l.Enqueue(t.Context(), items); err != nil || n != len(items) {
			t.Fatalf("%d texts queued: %v", n, err)
		}
	})
	return path
}

// said are the labels of a ledger, in order.
func said(t *testing.T, path string) (list []string) {
	t.Helper()
	withLabels(t, path, func(l *ledger.Ledger) {
		events, err := l.Events(t.Context(), ledger.Query{})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			switch e.Kind {
			case ledger.KindLabel:
				list = append(list, e.ID+" "+e.Head+" "+e.Label)
			case ledger.KindSkip:
				list = append(list, e.ID+" skipped")
			}
		}
	})
	return list
}

func (s *screen) wantSaid(path string, want ...string) {
	s.Helper()
	if got := said(s.T, path); !reflect.DeepEqual(got, want) {
		s.Fatalf("the ledger says %q, want %q", got, want)
	}
}

func item(id, text string) ledger.QueueItem {
	return ledger.QueueItem{ID: id, Text: text, Heads: []string{"topic", "stance"}, Selection: ledger.Uncertain,
		Predictions: json.RawMessage(`{"topic":{"label":"sport","probability":0.55,"scores":[{"label":"sport","probability":0.55},{"label":"economy","probability":0.45}]}}`)}
}

var choicesOfTests = []string{"--choice", "topic=economy", "--choice", "topic=sport", "--choice", "stance=for", "--choice", "stance=against"}

func annotateArgs(path string, more ...string) []string {
	args := append([]string{"labels", "annotate", "--ledger", path, "--annotator", "ann"}, choicesOfTests...)
	return append(args, more...)
}

// TestAnnotateTerminal: every answer is in the ledger before the next text is
// shown; undo takes it back there; a later session goes on.
func TestAnnotateTerminal(t *testing.T) {
	random := item("c", "Third text")
	random.Selection, random.SelectionProbability = ledger.Random, 0.15
	path := queuedLedger(t, item("a", "First text"), item("b", "Second text"), random)
	s := onTerminal(t, 80, 24, annotateArgs(path)...)
	s.until("First text")
	s.until("the model: sport 0.550, economy 0.450")
	s.until("[e] economy  [s] sport")
	s.press("e")
	s.until("stance?")
	s.wantSaid(path, "a topic economy")
	s.press("f")
	s.until("Second text")
	s.wantSaid(path, "a topic economy", "a stance for")
	s.press("\x7f") // undo
	s.until("First text")
	s.until("stance?")
	s.wantSaid(path, "a topic economy", "a stance for", "a stance ")
	s.press("a")
	s.until("Second text")
	s.press(".") // skip
	s.until("Third text")
	if screen := strings.Join(s.now(), "\n"); strings.Contains(screen, "the model:") {
		t.Errorf("a text that was chosen at random shows what the model says:\n%s", screen)
	}
	s.press("x")
	s.until("x is no key here")
	s.press("\x1b[200~economy\x1b[201~") // pasted
	s.until("what was pasted is no answer")
	s.press("Q")
	if code := s.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.until("2 labels of 1 text, 1 skipped, 1 taken back")
	s.wantSaid(path, "a topic economy", "a stance for", "a stance ", "a stance against", "b skipped")

	s = onTerminal(t, 80, 24, annotateArgs(path)...)
	s.until("1 of 1, ann")
	s.until("Third text")
	s.press("/")
	s.until("[Enter] take it")
	s.press("ec")
	s.until("/ec")
	s.press("\r")
	s.until("stance?")
	s.press("a")
	s.until("All is done. Labels: 2, texts: 1.")
	s.press("<")
	s.until("stance?")
	s.press("f")
	s.until("All is done")
	s.press("\r")
	s.end()
	if got := said(t, path); len(got) != 9 || got[8] != "c stance for" {
		t.Errorf("the ledger says %q", got)
	}
}

// TestAnnotateRestoresTerminal: whatever ends the program but SIGKILL, the terminal
// is as it was, and what was answered is kept.
func TestAnnotateRestoresTerminal(t *testing.T) {
	ends := map[string]func(s *screen){
		"Ctrl-C":  func(s *screen) { s.press("\x03") },
		"Ctrl-D":  func(s *screen) { s.press("\x04") },
		"SIGTERM": func(s *screen) { s.cmd.Process.Signal(syscall.SIGTERM) },
		"SIGINT":  func(s *screen) { s.cmd.Process.Signal(syscall.SIGINT) },
		"SIGHUP":  func(s *screen) { s.cmd.Process.Signal(syscall.SIGHUP) },
		"SIGQUIT": func(s *screen) { s.cmd.Process.Signal(syscall.SIGQUIT) },
		"SIGABRT": func(s *screen) { s.cmd.Process.Signal(syscall.SIGABRT) },
	}
	codes := map[string]int{"SIGTERM": interrupted, "SIGINT": interrupted, "SIGHUP": -1, "SIGQUIT": 2, "SIGABRT": 2}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			path := queuedLedger(t, item("a", "First text"), item("b", "Second text"))
			s := onTerminal(t, 80, 24, annotateArgs(path)...)
			s.until("First text")
			s.press("s")
			s.until("stance?")
			end(s)
			if code := s.end(); code != codes[name] {
				t.Errorf("exit code %d, want %d", code, codes[name])
			}
			s.wantSaid(path, "a topic sport")
		})
	}
}

// TestAnnotateSuspend: without a shell Ctrl-Z stops nothing, and the screen comes
// back.
func TestAnnotateSuspend(t *testing.T) {
	path := queuedLedger(t, item("a", "First text"))
	s := onTerminal(t, 80, 24, annotateArgs(path)...)
	s.until("First text")
	s.press("\x1a")
	s.until("\x1b[?1049l")
	s.until("First text")
	s.press("Q")
	s.end()
}

// hostile is a text that would change the terminal, the screen and the clipboard,
// and wide, joined and combined characters.
const hostile = "\x1b]0;owned\x07\x1b[2J\x1b[?1049h\x1b]52;c;ZXZpbA==\x07\u009b31m\u202eright to left\r\nWide 日本語のテキストはここで折り返されます and 👨\u200d👩\u200d👧 e\u0301\u0301 end"

// TestAnnotateHostileText: a text does nothing to the terminal, and its lines fit
// at every size.
func TestAnnotateHostileText(t *testing.T) {
	path := queuedLedger(t, item("a\x1b[1m", hostile+strings.Repeat(" and more words of it", 100)))
	s := onTerminal(t, 80, 24, annotateArgs(path, "--choice", "topic=\x1b[31mred")...)
	s.until("␛]0;owned␇")
	s.until("[3] ␛[31mred")
	s.until("page 1 of 3")
	s.press(" ")
	s.until("page 2 of 3")
	for _, size := range []struct{ columns, rows uint16 }{{30, 24}, {120, 50}, {10, 5}, {1, 1}, {200, 60}} {
		before := len(s.all())
		s.resize(size.columns, size.rows)
		s.seenSince = before
		s.until("\x1b[H\x1b[2J")
		s.fits(int(size.columns), int(size.rows))
	}
	s.quit()
	for _, bad := range []string{"\x1b]", "\x1b[31", "\x1b[1m", "\u009b", "\u202e", "\x07"} {
		if strings.Contains(s.all(), bad) {
			t.Errorf("%q reached the terminal", bad)
		}
	}
}

// fits waits until the screen fits a size: a resize may be seen as two.
func (s *screen) fits(columns, rows int) {
	s.Helper()
	var wide []string
	for range 100 {
		lines := s.now()
		wide = nil
		for _, line := range lines {
			if uniseg.StringWidth(line) > max(columns, 2) {
				wide = append(wide, line)
			}
		}
		if len(wide) == 0 && (len(lines) <= rows || rows < 20) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.Fatalf("at %d columns and %d rows these lines are too wide of %d:\n%q", columns, rows, len(s.now()), wide)
}

// TestAnnotateTogether: what another annotator has labelled meanwhile does not
// come.
func TestAnnotateTogether(t *testing.T) {
	var items []ledger.QueueItem
	for _, id := range strings.Fields("a b c d e f g h") {
		items = append(items, item(id, "Text "+id+"."))
	}
	path := queuedLedger(t, items...)
	s := onTerminal(t, 80, 24, annotateArgs(path, "--head", "topic")...)
	s.until("Text a.")
	withLabels(t, path, func(l *ledger.Ledger) {
		for _, head := range []string{"topic", "stance"} {
			out, err := l.Add(t.Context(), "", []ledger.NewLabel{{ID: "g", Head: head, Label: "sport", Annotator: "bob"}})
			if err != nil || out[0].Err != nil {
				t.Fatal(errors.Join(err, out[0].Err))
			}
		}
	})
	for _, id := range strings.Fields("b c d e f h") {
		s.press("s")
		s.until("Text " + id + ".")
	}
	s.press("s")
	s.until("All is done. Labels: 7, texts: 7.")
	s.press("\r")
	s.end()
	if strings.Contains(s.all(), "Text g.") {
		t.Error("a text that is labelled came")
	}
}

// TestForgetAsks: on a terminal forgetting wants a yes.
func TestForgetAsks(t *testing.T) {
	path := queuedLedger(t, item("a", "First text"))
	for _, step := range []struct {
		answer string
		left   int
	}{{"\r", 1}, {"n\r", 1}, {"yes\r", 0}} {
		answer, want := step.answer, step.left
		s := onTerminal(t, 80, 24, "labels", "forget", "--ledger", path, "--id", "a")
		s.until("text 1: First text, id a")
		s.until("Forget this for ever? [y/N] ")
		found := 1
		withLabels(t, path, func(l *ledger.Ledger) {
			s.press(answer)
			if err := <-s.ended; (err != nil) != (want == 1) {
				t.Fatalf("answer %q: %v\n%s", answer, err, s.all())
			}
			texts, err := l.Find(t.Context(), ledger.TextRef{ID: "a"})
			if err != nil {
				t.Fatal(err)
			}
			found = len(texts)
		})
		if found != want {
			t.Errorf("after the answer %q the ledger has %d texts, want %d", answer, found, want)
		}
	}
}
