package guard

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/tap"
)

const classifyMethod = classificationPrefix + "Classify"

// discardLog takes log lines, so that they are written in full.
type discardLog struct{}

func (discardLog) Write(line []byte) (int, error) { return len(line), nil }

// BenchmarkGuard is what the guard does for a call: without a credential, with
// a key among ten, and for a call that is refused under overload.
func BenchmarkGuard(b *testing.B) {
	var lines, key string
	for i := range 10 {
		secret, line, err := NewKey(fmt.Sprintf("caller-%d", i), Scorer)
		if err != nil {
			b.Fatal(err)
		}
		key, lines = secret, lines+line
	}
	keysFile := filepath.Join(b.TempDir(), "keys")
	if err := os.WriteFile(keysFile, []byte(lines), 0o600); err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		cfg  Config
		md   metadata.MD
		full bool
	}{
		{"open", Config{}, nil, false},
		{"key", Config{Security: Security{KeysFile: keysFile}}, metadata.Pairs("authorization", "Bearer "+key), false},
		{"refused", Config{}, nil, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			g, err := New(c.cfg, zerolog.New(discardLog{}))
			if err != nil {
				b.Fatal(err)
			}
			if c.full {
				g.admission.running = load{1000, time.Hour}
			}
			info := &tap.Info{FullMethodName: classifyMethod, Header: c.md}
			b.ReportAllocs()
			for b.Loop() {
				parent, cancel := context.WithCancel(context.Background())
				ctx, err := g.gate(parent, info)
				if (err != nil) != c.full {
					b.Fatal(err)
				}
				t := TicketOf(ctx)
				t.Start()
				if err := t.Arrive(ctx, 1400); err != nil {
					b.Fatal(err)
				}
				t.End()
				cancel()
			}
		})
	}
}
