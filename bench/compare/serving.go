package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-nlp/parley/client"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A load is how a server is called.
type load struct {
	name     string
	inFlight int
	items    int // documents of a batch; 0: Classify
}

var loads = []load{
	{"unary, 1 in flight", 1, 0},
	{"unary, 16 in flight", 16, 0},
	{"unary, 64 in flight", 64, 0},
	{"batches of 10, 2 in flight", 2, 10},
	{"batches of 100, 2 in flight", 2, 100},
	{"batches of 1000, 2 in flight", 2, 1000},
}

// documentBytes is about how long the documents are that servers get.
const documentBytes = 400

// A series is what a server did under a load, by run.
type series struct {
	perSecond []float64 // documents
	cpu       []float64 // seconds of the server a document
	p50, p99  []float64 // seconds of a call
}

// A serving is a server with a model beside the echo, under all loads.
type serving struct {
	name       string
	own, echo  []series    // by load
	inProcess  []inProcess // by run
	meanLength int         // of the documents, in bytes
}

// serveRuns measures a model behind gRPC.
func (w *workshop) serveRuns(ctx context.Context, s *system, runs int, seconds float64) (*serving, error) {
	docs := documents(texts(w.test), documentBytes)
	path := w.file("documents.txt")
	if err := writeLines(path, docs, 1); err != nil {
		return nil, err
	}
	out := &serving{name: s.name, own: make([]series, len(loads)), echo: make([]series, len(loads)), meanLength: lengthOf(docs) / len(docs)}
	for range runs {
		if err := serveOnce(ctx, out.own, docs, seconds, "serve", "--model", s.model); err != nil {
			return nil, err
		}
		if err := serveOnce(ctx, out.echo, docs, seconds, "serve", "--model", s.model, "--echo", docs[0]); err != nil {
			return nil, err
		}
		var p inProcess
		if err := runJSON(ctx, &p, "in-process", "--model", s.model, "--seconds", number(seconds), "--", path); err != nil {
			return nil, err
		}
		out.inProcess = append(out.inProcess, p)
	}
	return out, nil
}

// serveOnce starts a server and adds what it does under each load.
func serveOnce(ctx context.Context, list []series, docs []string, seconds float64, args ...string) error {
	s, err := startServer(ctx, args...)
	if err != nil {
		return err
	}
	defer s.stop()
	c, err := client.Dial(s.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	caller := newCaller(c, docs)
	for i, l := range loads {
		if _, err := caller.drive(ctx, l, seconds/5); err != nil { // connections and memory grow
			return err
		}
		before, err := s.cpu()
		if err != nil {
			return err
		}
		d, err := caller.drive(ctx, l, seconds)
		if err != nil {
			return err
		}
		after, err := s.cpu()
		if err != nil {
			return err
		}
		list[i].add(d, after-before)
	}
	return nil
}

func (s *series) add(d driven, cpu float64) {
	slices.Sort(d.calls)
	s.perSecond = append(s.perSecond, float64(d.documents)/d.wall)
	s.cpu = append(s.cpu, cpu/float64(d.documents))
	s.p50 = append(s.p50, percentile(d.calls, 0.5))
	s.p99 = append(s.p99, percentile(d.calls, 0.99))
}

// A caller calls a server with documents, one after the other.
type caller struct {
	*client.Client
	items []*parleyv1.BatchClassifyItem
}

func newCaller(c *client.Client, docs []string) *caller {
	out := &caller{Client: c}
	for len(out.items) < maxBatch+len(docs) {
		for _, d := range docs {
			out.items = append(out.items, &parleyv1.BatchClassifyItem{Document: &parleyv1.Document{Text: d}})
		}
	}
	return out
}

// A driven is what calls came to.
type driven struct {
	documents int
	wall      float64
	calls     []float64 // seconds of each
}

// drive calls for so many seconds, always with as many calls in flight.
func (c *caller) drive(ctx context.Context, l load, seconds float64) (driven, error) {
	var next atomic.Int64
	var wg sync.WaitGroup
	parts, errs := make([]driven, l.inFlight), make([]error, l.inFlight)
	start := time.Now()
	end := start.Add(time.Duration(seconds * float64(time.Second)))
	for i := range parts {
		wg.Go(func() { parts[i], errs[i] = c.work(ctx, l, &next, end) })
	}
	wg.Wait()
	all := driven{wall: time.Since(start).Seconds()}
	for i, p := range parts {
		if errs[i] != nil {
			return all, fmt.Errorf("%s: %w", l.name, errs[i])
		}
		all.documents += p.documents
		all.calls = append(all.calls, p.calls...)
	}
	return all, nil
}

// work calls one at a time until end, once at least.
func (c *caller) work(ctx context.Context, l load, next *atomic.Int64, end time.Time) (driven, error) {
	var d driven
	for n := max(l.items, 1); ; {
		at := int(next.Add(int64(n))-int64(n)) % (len(c.items) - n + 1)
		start := time.Now()
		if err := c.call(ctx, c.items[at:at+n], l.items == 0); err != nil {
			return d, err
		}
		d.documents += n
		d.calls = append(d.calls, time.Since(start).Seconds())
		if time.Now().After(end) {
			return d, nil
		}
	}
}

// call makes one call and wants an answer to every document.
func (c *caller) call(ctx context.Context, items []*parleyv1.BatchClassifyItem, unary bool) error {
	if unary {
		_, err := c.ClassifyDocument(ctx, items[0].GetDocument(), nil)
		return err
	}
	resp, err := c.BatchClassify(ctx, items, nil)
	if err != nil {
		return err
	}
	if len(resp.GetResults()) != len(items) || resp.GetErrorCount() > 0 {
		return fmt.Errorf("%d results, %d of them errors, for %d documents", len(resp.GetResults()), resp.GetErrorCount(), len(items))
	}
	return nil
}

// section is the table of the loads.
func (s *serving) section() section {
	t := section{
		Title: fmt.Sprintf("Serving %s: documents of %d bytes on average, one core for the server; in process %s us a document",
			s.name, s.meanLength, spreadOf(times(each(s.inProcess, inProcess.classifyTime), 1e6)).format(2)),
		Columns: []column{{"docs/s", "thousand", 2}, {"server CPU a document", "us", 2}, {"p50", "ms", 2}, {"p99", "ms", 2}},
	}
	for i, l := range loads {
		for _, who := range []struct {
			name string
			series
		}{{"Parley", s.own[i]}, {"echo", s.echo[i]}} {
			t.add(l.name+", "+who.name, spreadOf(times(who.perSecond, 1e-3)), spreadOf(times(who.cpu, 1e6)),
				spreadOf(times(who.p50, 1e3)), spreadOf(times(who.p99, 1e3)))
		}
	}
	return t
}

// goals compare the server with the echo.
func (s *serving) goals() []goal {
	var goals []goal
	for i, l := range loads {
		switch l.items {
		case 0:
			goals = append(goals, atLeast("docs/s beside the echo, "+l.name, 0.9, spreadOf(quotients(s.own[i].perSecond, s.echo[i].perSecond))))
		case 100:
			beyond := quotients(differences(s.own[i].cpu, s.echo[i].cpu), each(s.inProcess, inProcess.classifyTime))
			goals = append(goals, atMost("CPU beyond the echo in in-process CPU, "+l.name, 1.2, spreadOf(beyond)))
		}
	}
	for i := range goals {
		goals[i].What += ", " + s.name
	}
	return goals
}
