package client

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/parley-nlp/parley/internal/serve"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A cutter is a listener that breaks its first connections: each after so many
// bytes read or written, 0 for no limit.
type cutter struct {
	net.Listener
	connections int64 // still to be broken
	reads       int64
	writes      int64
	broken      atomic.Int64
}

func (c *cutter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil || c.connections == 0 {
		return conn, err
	}
	c.connections--
	return &cutConn{Conn: conn, cutter: c}, nil
}

type cutConn struct {
	net.Conn
	cutter        *cutter
	read, written int64
}

func (c *cutConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.read += int64(n); c.cutter.reads > 0 && c.read > c.cutter.reads {
		c.cutter.broken.Add(1)
		return 0, c.Conn.Close()
	}
	return n, err
}

func (c *cutConn) Write(p []byte) (int, error) {
	left := c.cutter.writes - c.written
	if c.cutter.writes == 0 || int64(len(p)) <= left {
		n, err := c.Conn.Write(p)
		c.written += int64(n)
		return n, err
	}
	c.cutter.broken.Add(1)
	n, _ := c.Conn.Write(p[:max(left, 0)])
	c.written += int64(n)
	_ = c.Conn.Close()
	return n, net.ErrClosed
}

// Connections that break in the middle of a large request or answer fail no
// call.
func TestBrokenConnections(t *testing.T) {
	for _, row := range []struct {
		name          string
		reads, writes int64
		connections   int64
	}{
		{"request", 1 << 20, 0, 1},
		{"answer", 0, 40 << 10, 1},
		{"answers", 0, 40 << 10, maxBroken - 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			lis, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			cut := &cutter{Listener: lis, connections: row.connections, reads: row.reads, writes: row.writes}
			s := startOn(t, cut, serve.Config{}, true)
			c := mustDial(t, s.addr)
			var items []*parleyv1.BatchClassifyItem
			for range 1000 {
				items = append(items, &parleyv1.BatchClassifyItem{Document: &parleyv1.Document{Text: strings.Repeat("a late goal ", 200)}})
			}
			resp, err := c.BatchClassify(context.Background(), items, &parleyv1.ClassifyOptions{TopK: -1})
			if err != nil || len(resp.GetResults()) != len(items) {
				t.Errorf("%d results, %v", len(resp.GetResults()), err)
			}
			if got := cut.broken.Load(); got < row.connections {
				t.Errorf("%d connections broke, want %d", got, row.connections)
			}
		})
	}
}
