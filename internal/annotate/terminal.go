package annotate

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// Sequences that every terminal of today knows.
const (
	enterScreen = "\x1b[?1049h\x1b[?2004h" // the other screen; brackets around what is pasted
	leaveScreen = "\x1b[?2004l\x1b[?1049l\x1b[0m"
	clearScreen = "\x1b[H\x1b[2J"
)

// A terminal is a console in raw mode: keys come as they are pressed.
type terminal struct {
	in, out *os.File
	chunks  chan chunk
	resized chan os.Signal
	decoder decoder
	queue   []Key
	stop    func()

	mu  sync.Mutex
	old *term.State // nil while the terminal is as it was found
}

// A chunk is what was read at once.
type chunk struct {
	bytes []byte
	err   error
}

// IsTerminal reports whether there is a terminal to read keys from and to draw on.
func IsTerminal(in, out *os.File) bool {
	return term.IsTerminal(int(in.Fd())) && term.IsTerminal(int(out.Fd()))
}

// openTerminal puts the terminal into raw mode. close must be called whatever
// happens; signals that would end the process call it by themselves.
func openTerminal(in, out *os.File) (*terminal, error) {
	t := &terminal{in: in, out: out, chunks: make(chan chunk, 16), resized: make(chan os.Signal, 1)}
	if err := t.enter(); err != nil {
		return nil, err
	}
	t.stop = watchSignals(t)
	go t.pump()
	return t, nil
}

// pump reads until the terminal fails. A read that waits cannot be ended: it goes
// with the process.
func (t *terminal) pump() {
	for {
		b := make([]byte, 1024)
		n, err := t.in.Read(b)
		t.chunks <- chunk{b[:n], err}
		if err != nil {
			return
		}
	}
}

func (t *terminal) enter() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	old, err := term.MakeRaw(int(t.in.Fd()))
	if err != nil {
		return err
	}
	t.old = old
	_, err = io.WriteString(t.out, enterScreen)
	return err
}

// restore leaves the terminal as it was found.
func (t *terminal) restore() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.old == nil {
		return nil
	}
	_, err := io.WriteString(t.out, leaveScreen)
	err = errors.Join(err, term.Restore(int(t.in.Fd()), t.old))
	t.old = nil
	return err
}

func (t *terminal) close() error {
	t.stop()
	return t.restore()
}

func (t *terminal) size() (int, int) {
	w, h, err := term.GetSize(int(t.out.Fd()))
	if err != nil || w < 1 || h < 1 {
		return plainWidth, 24
	}
	return w, h
}

func (t *terminal) show(lines []string) error {
	_, err := io.WriteString(t.out, clearScreen+strings.Join(lines, "\r\n"))
	return err
}

// drop keeps the end of the input and that somebody wants to leave.
func (t *terminal) drop() {
	t.queue = nil
	for {
		select {
		case c := <-t.chunks:
			if c.err != nil {
				t.chunks <- c
				return
			}
			for _, k := range t.decoder.decode(c.bytes) {
				if k == KeyInterrupt {
					t.queue = []Key{k}
				}
			}
		default:
			return
		}
	}
}

func (t *terminal) read(ctx context.Context) (typed, error) {
	for len(t.queue) == 0 {
		select {
		case <-ctx.Done():
			return typed{}, ctx.Err()
		case <-t.resized:
			return typed{resized: true}, nil
		case c := <-t.chunks:
			t.queue = t.decoder.decode(c.bytes)
			if c.err != nil && len(t.queue) == 0 {
				return typed{}, c.err
			}
		}
	}
	key := t.queue[0]
	t.queue = t.queue[1:]
	return typed{key: key}, nil
}
