package store

import (
	"context"
	"fmt"
	"testing"
)

// eachBench runs a benchmark on an empty store of every kind.
func eachBench(b *testing.B, bench func(b *testing.B, s *Store)) {
	for _, k := range kinds {
		b.Run(k.name, func(b *testing.B) { bench(b, open(b, k.url(b))) })
	}
}

// BenchmarkState is what a server does every few seconds: look whether an alias
// has moved, in a log of 10 moves and of 1,000.
func BenchmarkState(b *testing.B) {
	for _, moves := range []int{10, 1000} {
		b.Run(fmt.Sprint(moves), func(b *testing.B) {
			eachBench(b, func(b *testing.B, s *Store) {
				ctx := context.Background()
				r := []string{publish(b, s, 1), publish(b, s, 2)}
				for i := range moves {
					must[State](b)(s.SetAlias(ctx, "news", Live, r[i%2], "", ""))
				}
				for b.Loop() {
					must[State](b)(s.State(ctx, "news"))
				}
			})
		})
	}
}

func BenchmarkPublish(b *testing.B) {
	eachBench(b, func(b *testing.B, s *Store) {
		for i := int64(0); b.Loop(); i++ {
			publish(b, s, i)
		}
	})
}

func BenchmarkSetAlias(b *testing.B) {
	eachBench(b, func(b *testing.B, s *Store) {
		r := []string{publish(b, s, 1), publish(b, s, 2)}
		for i := 0; b.Loop(); i++ {
			must[State](b)(s.SetAlias(context.Background(), "news", Live, r[i%2], "", ""))
		}
	})
}

// BenchmarkLoad reads, hashes, parses and tests a model of 70 kB.
func BenchmarkLoad(b *testing.B) {
	eachBench(b, func(b *testing.B, s *Store) {
		m := largeModel(b, 1)
		must[Card](b)(s.Publish(context.Background(), "news", m, Provenance{}))
		b.SetBytes(int64(len(m.Bytes())))
		for b.Loop() {
			if _, err := s.Load(context.Background(), "news", m.Revision()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
