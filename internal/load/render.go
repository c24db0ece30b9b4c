package load

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Write writes the result for people.
func (r *Result) Write(w io.Writer) error {
	for _, section := range []func(io.Writer){r.writeFigures, r.writeHistogram, r.writeErrors, r.writeServers, r.writeRevisions} {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		section(t)
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (r *Result) writeFigures(w io.Writer) {
	fmt.Fprintf(w, "load\t%s\n", r.Load)
	fmt.Fprintf(w, "calls\t%d answered, %d failed in %.1f s\n", r.Answered, r.Failed, r.Seconds)
	fmt.Fprintf(w, "throughput\t%.1f calls/s\n", r.CallsPerSecond)
	fmt.Fprintf(w, "goodput\t%.1f calls/s, %.1f documents/s\n", r.AnsweredPerSecond, r.DocumentsPerSecond)
	fmt.Fprintf(w, "latency ms\t%s\n", r.Latency)
	if r.Failed > 0 {
		fmt.Fprintf(w, "of failures ms\t%s\n", r.FailedLatency)
	}
	if r.Load.Rate > 0 {
		fmt.Fprintf(w, "send lag ms\t%s\n", r.SendLag)
		fmt.Fprintf(w, "in flight\t%s\n", r.inFlight())
	}
	fmt.Fprintf(w, "attempts\t%s\n", r.Attempts)
}

func orWord(s, word string) string {
	if s == "" {
		return word
	}
	return s
}

// String tells how the load was made.
func (s Shape) String() string {
	var b strings.Builder
	if s.Rate > 0 {
		fmt.Fprintf(&b, "open loop, %g calls/s, Poisson with seed %d", s.Rate, s.Seed)
	} else {
		fmt.Fprintf(&b, "closed loop, %d callers", s.Concurrency)
	}
	if s.Batch > 0 {
		fmt.Fprintf(&b, ", batches of %d", s.Batch)
	}
	fmt.Fprintf(&b, ", %d connections a server, %gs after a warm-up of %gs", s.Connections, s.Duration, s.WarmUp)
	return b.String()
}

func (l Latency) String() string {
	return fmt.Sprintf("mean %.3f  p50 %.3f  p90 %.3f  p99 %.3f  p99.9 %.3f  max %.3f", l.Mean, l.P50, l.P90, l.P99, l.P999, l.Max)
}

func (r *Result) inFlight() string {
	if r.Held == 0 && r.Unsent == 0 {
		return fmt.Sprintf("%d at most, below the limit of %d", r.MostInFlight, r.Load.MaxInFlight)
	}
	return fmt.Sprintf("LIMIT OF %d HIT: %d calls were sent late for it, %d not at all", r.Load.MaxInFlight, r.Held, r.Unsent)
}

func (n AttemptCounts) String() string {
	return fmt.Sprintf("%d, %d first ones failed, %d calls retried (at most %d attempts), %d transparent", n.All, n.FirstFailed, n.Retried, n.Most, n.Transparent)
}

// barWidth is the length of the longest bar.
const barWidth = 40

func (r *Result) writeHistogram(w io.Writer) {
	most := int64(1)
	for _, b := range r.Histogram {
		most = max(most, b.Calls)
	}
	for _, b := range r.Histogram {
		bar := strings.Repeat("#", int((b.Calls*barWidth+most-1)/most))
		fmt.Fprintf(w, "  <= %g ms\t%d\t%s\n", b.Ms, b.Calls, bar)
	}
}

func (r *Result) writeErrors(w io.Writer) {
	for _, e := range r.Errors {
		kind := "error"
		if e.Item {
			kind = "item error"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d with a delay to retry after\t%s\n", kind, e.Code, orWord(e.Reason, "(gRPC's own)"), e.Count, e.RetryInfo, e.Example)
	}
}

func (r *Result) writeServers(w io.Writer) {
	for _, s := range r.Servers {
		fmt.Fprintf(w, "server\t%s\t%d attempts\t%d failed\n", orWord(s.Address, "(never sent)"), s.Attempts, s.Failed)
	}
}

func (r *Result) writeRevisions(w io.Writer) {
	for _, v := range r.Revisions {
		fmt.Fprintf(w, "revision\t%s\t%d calls\n", orWord(v.Revision, "(none named)"), v.Calls)
	}
}
