package dataset

import (
	"io"
	"sync/atomic"
)

// Counted returns the source with its bytes counted in n as they are read, those
// of the file as it is stored.
func (s Source) Counted(n *atomic.Int64) Source {
	open := s.open
	s.open = func() (io.ReadCloser, error) {
		f, err := open()
		if err != nil {
			return nil, err
		}
		return counted{f, n}, nil
	}
	return s
}

type counted struct {
	io.ReadCloser
	n *atomic.Int64
}

// countedAt is counted for a file that is read at any place.
type countedAt struct {
	io.ReaderAt
	n *atomic.Int64
}

func (c countedAt) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, at)
	c.n.Add(int64(n))
	return n, err
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n.Add(int64(n))
	return n, err
}
