package load

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A Result is what came of a load. Calls of the warm-up are not in it.
type Result struct {
	Load Shape `json:"load"`
	// Seconds from the end of the warm-up until the last call ended, or until the
	// load's end if that was later.
	Seconds  float64 `json:"seconds"`
	Answered int64   `json:"answered"`
	Failed   int64   `json:"failed"`
	// Documents have an answer; ItemErrors failed alone in a batch that was
	// answered.
	Documents  int `json:"documents"`
	ItemErrors int `json:"item_errors"`

	CallsPerSecond     float64 `json:"calls_per_second"`     // throughput: answers and failures
	AnsweredPerSecond  float64 `json:"answered_per_second"`  // goodput
	DocumentsPerSecond float64 `json:"documents_per_second"` // goodput

	// Latency is that of answered calls, from when they were due. SendLag is how
	// much of it passed before they were sent.
	Latency       Latency  `json:"latency_ms"`
	FailedLatency Latency  `json:"failed_latency_ms"`
	SendLag       Latency  `json:"send_lag_ms"`
	Histogram     []Bucket `json:"histogram"`

	MostInFlight int `json:"most_in_flight"` // with the warm-up
	Held         int `json:"held"`           // sent late for the limit of calls in flight; with the warm-up
	Unsent       int `json:"unsent"`         // held until the load was over

	Attempts  AttemptCounts   `json:"attempts"`
	Errors    []ErrorCount    `json:"errors,omitempty"`
	Revisions []RevisionCount `json:"revisions"`
	Servers   []ServerCount   `json:"servers"`
}

// A Shape repeats how the load was made.
type Shape struct {
	Rate        float64 `json:"rate,omitempty"`
	MaxInFlight int     `json:"max_in_flight,omitempty"`
	Concurrency int     `json:"concurrency,omitempty"`
	Connections int     `json:"connections"`
	Batch       int     `json:"batch,omitempty"`
	WarmUp      float64 `json:"warm_up_seconds"`
	Duration    float64 `json:"duration_seconds"`
	Seed        uint64  `json:"seed"`
}

func (c Config) shape(connections int) Shape {
	s := Shape{Rate: c.Rate, Connections: connections, Batch: c.Batch, WarmUp: c.WarmUp.Seconds(), Duration: c.Duration.Seconds(), Seed: c.Seed}
	if c.Rate > 0 {
		s.MaxInFlight = c.MaxInFlight
	} else {
		s.Concurrency = c.Concurrency
	}
	return s
}

// AttemptCounts tell what the client's retries hid from the callers.
type AttemptCounts struct {
	All         int `json:"all"`
	FirstFailed int `json:"first_failed"` // calls whose first attempt failed
	Retried     int `json:"retried"`      // calls with more than one attempt
	Transparent int `json:"transparent"`  // attempts that gRPC repeated since they reached no server
	Most        int `json:"most"`         // of one call
}

func (n *AttemptCounts) add(c *Call) {
	n.All += len(c.Attempts)
	n.Most = max(n.Most, len(c.Attempts))
	if c.FirstFailed() {
		n.FirstFailed++
	}
	if len(c.Attempts) > 1 {
		n.Retried++
	}
	for _, a := range c.Attempts {
		if a.Transparent {
			n.Transparent++
		}
	}
}

// An ErrorCount counts the failures of one code and reason.
type ErrorCount struct {
	Item      bool   `json:"item,omitempty"` // of a document in a batch that was answered
	Code      string `json:"code"`
	Reason    string `json:"reason,omitempty"`
	Count     int    `json:"count"`
	RetryInfo int    `json:"retry_info,omitempty"` // those that said when to try again
	Example   string `json:"example,omitempty"`
}

// A RevisionCount counts the answers of one revision.
type RevisionCount struct {
	Revision string `json:"revision"`
	Calls    int    `json:"calls"`
}

// A ServerCount counts the attempts that went to one server.
type ServerCount struct {
	Address  string `json:"address"` // "": never sent
	Attempts int    `json:"attempts"`
	Failed   int    `json:"failed"`
}

// A Latency is a distribution in milliseconds.
type Latency struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`
}

func milliseconds(us int64) float64 {
	return float64(us) / float64(time.Millisecond/time.Microsecond)
}

func latencyOf(h *hdrhistogram.Histogram) Latency {
	at := func(p float64) float64 { return milliseconds(h.ValueAtPercentile(p)) }
	return Latency{Mean: h.Mean() / 1000, P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: milliseconds(h.Max())}
}

// A Bucket is the calls that took longer than the bucket before allows and at
// most Ms milliseconds.
type Bucket struct {
	Ms    float64 `json:"ms"`
	Calls int64   `json:"calls"`
}

// bucketsOf sums a histogram up in buckets of 1, 2 and 5 times powers of ten,
// from the first to the last that has a call.
func bucketsOf(h *hdrhistogram.Histogram) []Bucket {
	var list []Bucket
	for _, bar := range h.Distribution() {
		if bar.Count == 0 {
			continue
		}
		if len(list) == 0 {
			list = append(list, Bucket{Ms: milliseconds(bucketOver(bar.From))})
		}
		for last := &list[len(list)-1]; milliseconds(bar.From) > last.Ms; last = &list[len(list)-1] {
			list = append(list, Bucket{Ms: milliseconds(bucketOver(int64(math.Round(last.Ms*1000)) + 1))})
		}
		list[len(list)-1].Calls += bar.Count
	}
	return list
}

// bucketOver is the least bound, in microseconds, that is not below us.
func bucketOver(us int64) int64 {
	for power := int64(1); ; power *= 10 {
		for _, digit := range []int64{1, 2, 5} {
			if us <= digit*power {
				return digit * power
			}
		}
	}
}
