package serve

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	_ "google.golang.org/grpc/encoding/gzip" // what a server might have
	"google.golang.org/protobuf/proto"
)

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
						return // the connection came of age
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
			waitFor(t, "a call with giant metadata to be reset", func() bool {
				r := v.open(t)
				defer r.Close()
				if _, err := r.headers("giant", strings.Repeat("x", 15<<10), "second", strings.Repeat("y", 1000)); err != nil {
					return false // the connection came of age
				}
				code, err := r.reset()
				return err == nil && code == http2.ErrCodeFrameSize
			})
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
						return // the connection came of age
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
