package guard

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// LimitConnections returns lis with a limit on open connections: those over it
// are closed at once, so that their clients go elsewhere.
func (g *Guard) LimitConnections(lis net.Listener) net.Listener {
	return &limitedListener{lis, g}
}

type limitedListener struct {
	net.Listener
	guard *Guard
}

func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		open := &l.guard.counters.Connections
		if limit := int64(l.guard.cfg.Connections.Max); open.Add(1) > limit {
			open.Add(-1)
			l.guard.counters.refuseConnection(tooManyConnections, conn.RemoteAddr(), errTooManyConnections(limit))
			conn.Close()
			continue
		}
		return &limitedConn{Conn: conn, timeout: l.guard.cfg.Connections.WriteTimeout, closed: sync.OnceFunc(func() { open.Add(-1) })}, nil
	}
}

// A limitedConn fails when its other end takes nothing for the time-out: gRPC
// itself would wait for it for as long as it answers pings, whatever its age.
type limitedConn struct {
	net.Conn
	timeout time.Duration
	armed   atomic.Int64 // when the deadline was set last, in Unix nanoseconds
	closed  func()
}

func (c *limitedConn) Write(b []byte) (int, error) {
	now := time.Now()
	if last := c.armed.Load(); now.UnixNano()-last > int64(c.timeout/8) { // a deadline costs more than the write's other work
		if err := c.SetWriteDeadline(now.Add(c.timeout)); err != nil {
			return 0, err
		}
		c.armed.Store(now.UnixNano())
	}
	n, err := c.Conn.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.Close() // gRPC would go on reading
	}
	return n, err
}

func (c *limitedConn) Close() error {
	c.closed()
	return c.Conn.Close()
}
