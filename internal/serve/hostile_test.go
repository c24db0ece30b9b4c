package serve

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // what a server might have
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/rs/zerolog"
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
	s, err := New(Config{Log: zerolog.Nop(), MaxMessageBytes: 1 << 20, Guard: Guard{
		DefaultTimeout: time.Second,
		MaxTimeout:     time.Minute, // of the client that means well
		Connections: Connections{
			HandshakeTimeout: 500 * time.Millisecond, WriteTimeout: 500 * time.Millisecond, MaxAge: time.Second, MaxAgeGrace: 500 * time.Millisecond,
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.Use(newModel(t, 1))
	addr := serveOnLoopback(t, s)
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &victim{s, addr, conn}
}

// during runs an attack while the client that means well makes calls: all must
// be answered, some of them while the attack goes on. Afterwards nothing of the
// attack must be left, once the server's patience has ended.
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
	waitFor(t, "the connections to go", func() bool { return v.guard.counters.Connections.Load() <= 1 })
	waitFor(t, "the calls to go", func() bool { return v.guard.admission.work().calls <= 1 })
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

// open connects and says hello.
func (v *victim) open(t *testing.T, settings ...http2.Setting) *rawConn {
	t.Helper()
	conn := v.dial(t)
	r := &rawConn{Conn: conn, framer: http2.NewFramer(conn, conn), block: &bytes.Buffer{}, next: 1}
	r.hpack = hpack.NewEncoder(r.block)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := r.framer.WriteSettings(settings...); err != nil {
		t.Fatal(err)
	}
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
	s, err := New(Config{Log: zerolog.Nop(), Guard: Guard{Connections: Connections{Max: 5}}})
	if err != nil {
		t.Fatal(err)
	}
	s.Use(newModel(t, 1))
	v := &victim{Server: s, addr: serveOnLoopback(t, s)}
	var open []net.Conn
	for range 5 {
		open = append(open, v.dial(t))
	}
	waitFor(t, "five connections", func() bool { return s.guard.counters.Connections.Load() == 5 })
	for range 20 {
		if err := hungUp(v.dial(t)); err != nil {
			t.Errorf("a sixth connection stays open: %v", err)
		}
	}
	if got := s.guard.counters.refused[tooManyConnections].Load(); got != 20 {
		t.Errorf("%d refusals were counted, want 20", got)
	}
	open[0].Close()
	waitFor(t, "one to go", func() bool { return s.guard.counters.Connections.Load() == 4 })
	conn, err := grpc.NewClient(v.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := reach(t.Context(), conn, "Classify"); err != nil {
		t.Errorf("a connection in its place: %v", err)
	}
}

// Calls whose request does not come, or comes a byte at a time, end at the
// default time-out; meanwhile they count for nothing.
func TestHostileHalfOpenCalls(t *testing.T) {
	t.Parallel()
	v := startVictim(t)
	n := hostiles(t, 1000)
	v.during(t, func() {
		var clients sync.WaitGroup
		for range (n + 199) / 200 {
			r := v.open(t)
			clients.Go(func() {
				for i := range 200 {
					stream, err := r.headers()
					if err == nil && i%2 == 0 {
						err = r.framer.WriteData(stream, false, []byte{0, 0, 0})
					}
					if err != nil {
						t.Errorf("call %d of a connection: %v", i, err)
						return
					}
				}
				if err := hungUp(r); err != nil {
					t.Errorf("the server did not hang up: %v", err)
				}
			})
		}
		clients.Wait()
	})
	v.gone(t)
}

// Calls that are begun and reset at once, over and over.
func TestHostileRapidReset(t *testing.T) {
	t.Parallel()
	v := startVictim(t)
	v.during(t, func() {
		r := v.open(t)
		go io.Copy(io.Discard, r)
		for range hostiles(t, 5000) {
			stream, err := r.headers()
			if err == nil {
				err = r.framer.WriteRSTStream(stream, http2.ErrCodeCancel)
			}
			if err != nil {
				break // the server may well hang up
			}
		}
		r.Close()
	})
	v.gone(t)
}

// Encodings that the server does not know: such calls end before they are
// anybody's, and must not count as waiting for ever.
func TestHostileEncodings(t *testing.T) {
	t.Parallel()
	v := startVictim(t)
	v.during(t, func() {
		r := v.open(t)
		go io.Copy(io.Discard, r)
		for range hostiles(t, 2000) {
			if _, err := r.headers("grpc-encoding", "nonsense"); err != nil {
				break
			}
		}
		r.Close()
	})
	v.gone(t)
}

// Header blocks that never end, and metadata above the limit.
func TestHostileHeaders(t *testing.T) {
	t.Parallel()
	v := startVictim(t)
	v.during(t, func() {
		flood := v.open(t)
		flood.block.Reset()
		if err := flood.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x82}}); err != nil {
			t.Fatal(err)
		}
		fragment := make([]byte, 16<<10)
		for i := range fragment { // literal fields without indexing: name and value empty
			fragment[i] = 0
		}
		go func() {
			for range 10_000 {
				if flood.framer.WriteContinuation(1, false, fragment) != nil {
					return
				}
			}
		}()
		if err := hungUp(flood); err != nil {
			t.Errorf("a flood of continuations: %v", err)
		}
		for range 20 {
			r := v.open(t)
			if _, err := r.headers("giant", strings.Repeat("x", 15<<10), "second", strings.Repeat("y", 1000)); err != nil {
				t.Errorf("giant metadata: %v", err)
			}
			if code, err := r.reset(); err != nil || code != http2.ErrCodeFrameSize {
				t.Errorf("giant metadata: reset with %v, error %v", code, err)
			}
			r.Close()
		}
	})
	// A client of gRPC is told the limit before it sends anything.
	ctx := with(t, strings.Repeat("x", 20<<10))
	err := reach(ctx, v.conn, "Classify")
	if err == nil || !strings.Contains(err.Error(), "16384") {
		t.Errorf("giant metadata of a client that means well: got %v, want the limit named", err)
	}
	v.gone(t)
}

// reset reads frames until a call is reset, and returns why it was.
func (r *rawConn) reset() (http2.ErrCode, error) {
	if err := r.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		return 0, err
	}
	for {
		f, err := r.framer.ReadFrame()
		if err != nil {
			return 0, err
		}
		if reset, ok := f.(*http2.RSTStreamFrame); ok {
			return reset.ErrCode, nil
		}
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

// Clients that ask and do not read the answers: neither HTTP/2's windows nor
// the kernel's buffers take them.
func TestHostileSlowReads(t *testing.T) {
	t.Parallel()
	v := startVictim(t)
	body, err := proto.Marshal(request("shares", nil))
	if err != nil {
		t.Fatal(err)
	}
	v.during(t, func() {
		var clients sync.WaitGroup
		for range min(hostiles(t, 20), 900) {
			r := v.open(t, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
			clients.Go(func() {
				for range 200 {
					stream, err := r.headers()
					if err == nil {
						err = r.framer.WriteData(stream, true, message(0, uint32(len(body)), body))
					}
					if err != nil {
						return
					}
				}
				if err := hungUp(r); err != nil {
					t.Errorf("the server did not hang up: %v", err)
				}
			})
		}
		// Here the kernel's buffers are full.
		stuck := v.open(t)
		stuck.Conn.(*net.TCPConn).SetReadBuffer(4096)
		clients.Go(func() {
			for stuck.SetWriteDeadline(time.Now().Add(30*time.Second)) == nil {
				stream, err := stuck.headers()
				if err == nil {
					err = stuck.framer.WriteData(stream, true, message(0, uint32(len(body)), body))
				}
				if err != nil {
					break
				}
			}
			stuck.Close()
		})
		clients.Wait()
	})
	v.gone(t)
}

// Messages that are not what they say.
func TestHostileMessages(t *testing.T) {
	t.Parallel()
	v := startVictim(t)
	bomb := gzipped(t, 64<<20)
	bodies := [][]byte{
		message(0, 1<<32-1, nil),                         // 4 GiB, and nothing follows
		message(0, 1<<20, nil),                           // the limit, and nothing follows
		message(1, 5, []byte("xxxxx")),                   // compressed by nothing
		message(9, 5, []byte("xxxxx")),                   // an unknown flag
		message(0, 5, []byte{0xff, 0xff, 0xff, 0xff, 1}), // no protocol buffer
		message(0, 2, []byte{0x12, 0x7f}),                // a field that is longer than the message
		bytes.Repeat([]byte{0x0a}, 10_000),               // many messages in one
		message(1, uint32(len(bomb)), bomb),
	}
	peak := uint64(0)
	v.during(t, func() {
		var clients sync.WaitGroup
		for i := range min(hostiles(t, 160)/8, 900) {
			r := v.open(t)
			clients.Go(func() {
				for _, body := range bodies {
					encoding := []string{}
					if body[0] == 1 && len(body) > 100 {
						encoding = []string{"grpc-encoding", "gzip"}
					}
					stream, err := r.headers(encoding...)
					for len(body) > 0 && err == nil {
						part := body[:min(len(body), 16<<10)]
						body = body[len(part):]
						err = r.framer.WriteData(stream, len(body) == 0 && i%2 == 0, part)
					}
					if err != nil {
						t.Errorf("the server hung up: %v", err)
						return
					}
				}
				if err := hungUp(r); err != nil {
					t.Errorf("the server did not hang up: %v", err)
				}
			})
		}
		finished := make(chan struct{})
		go func() { clients.Wait(); close(finished) }()
		for {
			select {
			case <-finished:
				return
			case <-time.After(10 * time.Millisecond):
				peak = max(peak, heapMB())
			}
		}
	})
	if peak > 1024 {
		t.Errorf("the heap grew to %d MB", peak)
	}
	t.Logf("the heap grew to %d MB", peak)
	v.gone(t)
}

// gzipped returns so many zeros, compressed.
func gzipped(t *testing.T, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
