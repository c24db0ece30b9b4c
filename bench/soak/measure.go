package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/parley-nlp/parley/internal/load"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A heavyLoad is one whose calls keep the server busy more than the load, so
// that it is the server's capacity that is found on a machine of few cores.
type heavyLoad struct {
	Measure time.Duration `default:"5s" help:"How long the capacity is measured, after as long a warm-up. Default: ${default}."`
	Callers int           `default:"8" help:"Callers that measure it. Default: ${default}."`
}

// heavy returns texts of about so many bytes, made of the corpus.
func (w *workshop) heavy(bytes int) []*parleyv1.Document {
	var list []*parleyv1.Document
	var text strings.Builder
	for len(list) < 50 {
		for _, d := range w.documents {
			text.WriteString(d.GetText())
			text.WriteByte('\n')
			if text.Len() >= bytes {
				list = append(list, &parleyv1.Document{Text: text.String()})
				text.Reset()
			}
		}
	}
	return list
}

// timeout is the deadline of a call: far beyond what is promised.
const timeout = 20 * time.Second

// capacity is how many calls a second are answered when callers never pause.
func (w *workshop) capacity(target *load.Target, documents []*parleyv1.Document, h heavyLoad) (float64, error) {
	r, err := target.Run(w.ctx, documents, load.Config{
		Concurrency: h.Callers, WarmUp: h.Measure, Duration: h.Measure, Timeout: timeout, Seed: w.Seed,
	})
	if err != nil {
		return 0, err
	}
	if w.ctx.Err() != nil {
		return 0, w.ctx.Err()
	}
	w.figure("capacity", "%.0f calls/s answered to %d callers, p99 %.1f ms, %d failed", r.AnsweredPerSecond, h.Callers, r.Latency.P99, r.Failed)
	if r.Answered == 0 {
		return 0, fmt.Errorf("capacity: no call was answered, %d failed", r.Failed)
	}
	return r.AnsweredPerSecond, nil
}

// measure makes texts of about so many bytes those of the workshop, and returns
// so many connections to a server and how many calls a second it answers.
func (w *workshop) measure(s *server, connections, bytes int, h heavyLoad) (target *load.Target, most float64, err error) {
	if target, err = load.Dial(s.address, connections); err != nil {
		return nil, 0, err
	}
	w.documents = w.heavy(bytes)
	w.title("a server on one core, texts of %d bytes", bytes)
	if most, err = w.capacity(target, w.documents, h); err != nil {
		target.Close()
		return nil, 0, err
	}
	return target, most, nil
}

// p99 is the 99th percentile, 0 of nothing.
func p99(list []time.Duration) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[(len(list)*99+99)/100-1]
}

// ms is a time in milliseconds.
func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// mib is bytes in MiB.
func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// mean is that of bytes, 0 of nothing.
func mean(list []int64) int64 {
	if len(list) == 0 {
		return 0
	}
	sum := int64(0)
	for _, n := range list {
		sum += n
	}
	return sum / int64(len(list))
}
