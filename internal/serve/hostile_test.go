package serve

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/parley-nlp/parley/internal/guard"
	"github.com/parley-nlp/parley/internal/serve/servetest"
)

// hostiles is how many connections or calls an attack makes:
// PARLEY_HOSTILE=10000 for a test as hard as it gets.
func hostiles(t *testing.T, usual int) int {
	t.Helper()
	value := os.Getenv("PARLEY_HOSTILE")
	if value == "" {
		return usual
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 {
		t.Fatalf("PARLEY_HOSTILE=%s: want a number", value)
	}
	return n
}

// A victim is a server under attack, with a client that means well.
type victim struct {
	*Server
	addr string
	conn *grpc.ClientConn
}

// startVictim runs a server whose patience is short.
func startVictim(t *testing.T) *victim {
	t.Helper()
	s, err := New(Config{Log: zerolog.Nop(), MaxMessageBytes: 1 << 20, Guard: guard.Config{
		DefaultTimeout: time.Second,
		MaxTimeout:     time.Minute, // of the client that means well
		Connections: guard.Connections{
			HandshakeTimeout: 500 * time.Millisecond, WriteTimeout: 500 * time.Millisecond, MaxAge: time.Second, MaxAgeGrace: 2 * time.Second,
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.Use(newModel(t, 1))
	addr := servetest.Start(t, s)
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.WaitForReady(true))) // on a busy machine the server's patience is short for it too
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &victim{s, addr, conn}
}

// during runs an attack while the client that means well makes calls: all must
// be answered, and go on being answered afterwards.
func (v *victim) during(t *testing.T, attack func()) {
	t.Helper()
	v.call(t)
	calls, done := v.keepCalling(t)
	defer done()
	attack()
	before := calls()
	waitFor(t, "answers after the attack", func() bool { return calls() >= before+10 })
	t.Logf("%d answers meanwhile, heap %d MB, %d goroutines", calls(), heapMB(), runtime.NumGoroutine())
}

// call makes a call, which must be answered, at once or when it is repeated: an
// attack may be more than the server can do.
func (v *victim) call(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	err := reach(ctx, v.conn, "Classify")
	for status.Code(err) == codes.ResourceExhausted {
		time.Sleep(time.Millisecond)
		err = reach(ctx, v.conn, "Classify")
	}
	if err != nil && t.Context().Err() == nil {
		t.Errorf("a call that means well: %v", err)
	}
}

// keepCalling makes calls until done is called.
func (v *victim) keepCalling(t *testing.T) (calls func() int, done func()) {
	var mu sync.Mutex
	var client sync.WaitGroup
	n, stop := 0, make(chan struct{})
	client.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
			v.call(t)
			mu.Lock()
			n++
			mu.Unlock()
		}
	})
	return func() int { mu.Lock(); defer mu.Unlock(); return n }, func() { close(stop); client.Wait() }
}

func heapMB() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc >> 20
}

// gone waits until nothing is left of the connections and calls of an attack.
func (v *victim) gone(t *testing.T) {
	t.Helper()
	waitFor(t, "the connections to go", func() bool { return v.guard.Counters().Connections.Load() <= 1 })
	waitFor(t, "the calls to go", func() bool { calls, _ := v.guard.InFlight(); return calls <= 1 })
}

// A rawConn speaks HTTP/2 as it likes.
type rawConn struct {
	net.Conn
	framer *http2.Framer
	hpack  *hpack.Encoder
	block  *bytes.Buffer
	next   uint32 // stream
}

func (v *victim) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", v.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// open connects and says hello, again if it was too slow for the server.
func (v *victim) open(t *testing.T, settings ...http2.Setting) (r *rawConn) {
	t.Helper()
	waitFor(t, "a connection", func() bool {
		conn := v.dial(t)
		r = &rawConn{Conn: conn, framer: http2.NewFramer(conn, conn), block: &bytes.Buffer{}, next: 1}
		r.hpack = hpack.NewEncoder(r.block)
		if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
			return false
		}
		return r.framer.WriteSettings(settings...) == nil
	})
	return r
}

// headers begins a call.
func (r *rawConn) headers(extra ...string) (stream uint32, err error) {
	r.block.Reset()
	fields := append([]string{
		":method", "POST", ":scheme", "http", ":path", classifyMethod, ":authority", "x",
		"content-type", "application/grpc", "te", "trailers",
	}, extra...)
	for i := 0; i < len(fields); i += 2 {
		if err := r.hpack.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}); err != nil {
			return 0, err
		}
	}
	stream = r.next
	r.next += 2
	return stream, r.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: r.block.Bytes(), EndHeaders: true})
}

// message frames a message of gRPC.
func message(compressed byte, length uint32, body []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{compressed}, length), body...)
}

// hungUp reads until the server closes the connection.
func hungUp(conn net.Conn) error {
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return nil // however it ended
}

// Connections that never say hello, or say it a byte at a time, are closed
// after the time-out.
func TestHostileSlowHello(t *testing.T) {
	t.Parallel()
	v := startVictim(t)
	v.during(t, func() {
		var clients sync.WaitGroup
		for i := range min(hostiles(t, 100), 900) {
			conn := v.dial(t)
			clients.Go(func() {
				if i%2 == 0 {
					for b := range []byte(http2.ClientPreface) {
						if _, err := conn.Write([]byte(http2.ClientPreface)[b : b+1]); err != nil {
							break
						}
						time.Sleep(50 * time.Millisecond)
					}
				}
				if err := hungUp(conn); err != nil {
					t.Errorf("the server did not hang up: %v", err)
				}
			})
		}
		clients.Wait()
	})
	v.gone(t)
}

// Connections that say hello and nothing more go when they are of age.
func TestHostileSilence(t *testing.T) {
	t.Parallel()
	v := startVictim(t)
	v.during(t, func() {
		var clients sync.WaitGroup
		for range min(hostiles(t, 100), 900) {
			conn := v.open(t)
			clients.Go(func() {
				if err := hungUp(conn); err != nil {
					t.Errorf("the server did not hang up: %v", err)
				}
			})
		}
		clients.Wait()
	})
	v.gone(t)
}

// Connections beyond the limit are closed at once.
func TestHostileConnections(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Log: zerolog.Nop(), Guard: guard.Config{Connections: guard.Connections{Max: 5}}})
	if err != nil {
		t.Fatal(err)
	}
	s.Use(newModel(t, 1))
	v := &victim{Server: s, addr: servetest.Start(t, s)}
	var open []net.Conn
	for range 5 {
		open = append(open, v.dial(t))
	}
	waitFor(t, "five connections", func() bool { return s.guard.Counters().Connections.Load() == 5 })
	for range 20 {
		if err := hungUp(v.dial(t)); err != nil {
			t.Errorf("a sixth connection stays open: %v", err)
		}
	}
	if got := s.refused("too_many_connections"); got != 20 {
		t.Errorf("%d refusals were counted, want 20", got)
	}
	open[0].Close()
	waitFor(t, "one to go", func() bool { return s.guard.Counters().Connections.Load() == 4 })
	conn, err := grpc.NewClient(v.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := reach(t.Context(), conn, "Classify"); err != nil {
		t.Errorf("a connection in its place: %v", err)
	}
}

// What is no HTTP/2 at all, and what is no valid frame of it.
func TestHostileGarbage(t *testing.T) {
	t.Parallel()
	v := startVictim(t)
	garbage := bytes.Repeat([]byte{0xff, 0x00, 0x5a, 0x13, 0x37}, 1000)
	v.during(t, func() {
		for i := range min(hostiles(t, 60), 900) {
			conn := v.dial(t)
			switch i % 3 {
			case 0:
				conn.Write(garbage)
			case 1:
				io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			case 2:
				io.WriteString(conn, http2.ClientPreface)
				conn.Write(garbage)
			}
			if err := hungUp(conn); err != nil {
				t.Errorf("kind %d: %v", i%3, err)
			}
		}
	})
	v.gone(t)
}

// Pings and settings whose answers nobody reads.
func TestHostilePings(t *testing.T) {
	t.Parallel()
	v := startVictim(t)
	v.during(t, func() {
		var clients sync.WaitGroup
		for kind := range 2 {
			r := v.open(t)
			clients.Go(func() {
				for range hostiles(t, 20_000) {
					var err error
					if kind == 0 {
						err = r.framer.WritePing(false, [8]byte{1})
					} else {
						err = r.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1})
					}
					if err != nil {
						return
					}
				}
				r.Close()
			})
		}
		clients.Wait()
	})
	v.gone(t)
}
