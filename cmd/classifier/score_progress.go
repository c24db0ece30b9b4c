package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/parley-nlp/parley/internal/score"
)

// plainEvery is the time between two lines of plain progress.
const plainEvery = 5 * time.Second

// A pace knows how fast a run goes.
type pace struct {
	meter *score.Meter
	rows  int64 // of the run altogether; 0 when not known
	bytes int64 // of the input; negative when not known

	before int64 // rows of earlier runs

	mu    sync.Mutex
	began time.Time // when the first row of this run was about to be written
	share float64   // that was done then
}

// showProgress shows how a run that goes on from s gets along, until the
// function that it returns is called.
func (r *scoreRun) showProgress(s score.State) (stop func()) {
	p := &pace{meter: r.job.Meter, bytes: r.bytes, before: s.Summary.Rows, began: time.Now()}
	if r.Shard != "" {
		p.rows = r.job.Range.To - r.job.Range.From
	}
	switch mode := r.Progress; {
	case mode == "plain":
		return p.lines(r.stderr)
	case mode == "bar", mode == "auto" && isTerminal(r.stderr) && (r.Out != "" || !isTerminal(r.stdout)):
		return p.bar(r.stderr)
	}
	return func() {}
}

// each calls do from time to time, and watches the beginning of the run.
func (p *pace) each(do func()) (stop func()) {
	ticker, quit, done := time.NewTicker(100*time.Millisecond), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ticker.C:
				p.watch()
				do()
			case <-quit:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(quit)
		<-done
	}
}

// watch moves the beginning on as long as rows are only skipped.
func (p *pace) watch() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.meter.Rows.Load() <= p.before {
		p.began, p.share = time.Now(), p.done()
	}
}

// lines writes a line from time to time.
func (p *pace) lines(w io.Writer) (stop func()) {
	last := time.Now()
	return p.each(func() {
		if time.Since(last) >= plainEvery {
			last = time.Now()
			fmt.Fprintf(w, "classifier: %s\n", p)
		}
	})
}

// barSteps is the length of the bar.
const barSteps = 1000

// bar draws a bar, written over as rows are done, and removes it at the end.
func (p *pace) bar(w io.Writer) (stop func()) {
	display := mpb.New(mpb.WithOutput(w), mpb.WithAutoRefresh(), mpb.WithRefreshRate(200*time.Millisecond), mpb.WithWidth(80))
	style := mpb.BarStyle().Build()
	if p.bytes < 0 && p.rows == 0 {
		style = mpb.NopStyle().Build()
	}
	bar := display.MustAdd(barSteps, style, mpb.BarRemoveOnComplete(),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return p.String() })))
	end := p.each(func() { bar.SetCurrent(min(int64(p.done()*barSteps), barSteps-1)) })
	return func() {
		end()
		bar.Abort(true)
		display.Wait()
	}
}

// done returns the share of the run that is done, 0 when it is not known.
func (p *pace) done() float64 {
	switch {
	case p.rows > 0:
		return float64(p.meter.Rows.Load()) / float64(p.rows)
	case p.bytes > 0:
		return min(1, float64(p.meter.Read.Load())/float64(p.bytes))
	}
	return 0
}

// String is "1,200 rows, 3 errors, 600 rows a second, 24%, 4s left".
func (p *pace) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	rows, done, took := p.meter.Rows.Load(), p.done(), time.Since(p.began)
	s := score.RowCount(rows)
	if n := p.meter.Errors.Load(); n > 0 {
		s += fmt.Sprintf(", %s errors", score.Thousands(n))
	}
	if rows <= p.before {
		return s
	}
	s += fmt.Sprintf(", %s a second", score.RowCount(perSecond(rows-p.before, took)))
	if done > p.share {
		left := time.Duration(float64(took) * (1 - done) / (done - p.share))
		s += fmt.Sprintf(", %.0f%%, %s left", 100*done, left.Round(time.Second))
	}
	return s
}
