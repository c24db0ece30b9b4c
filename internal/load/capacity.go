package load

import (
	"context"
	"fmt"
	"time"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A Trial is a load that was tried in search of the capacity.
type Trial struct {
	Rate      float64 `json:"rate"`
	Sustained bool    `json:"sustained"`
	Result    *Result `json:"result"`
}

// closeEnough is how near the rates that were and were not sustained come.
const closeEnough = 1.05

// least is the rate below which the search gives up.
const least = 1

// FindCapacity searches the highest rate of an open loop at which no call fails
// or stays unsent and the 99th percentile of latency is at most p99. It begins
// with c.Rate, doubles or halves, then bisects; report gets every trial. The
// last trial that was sustained is returned.
func (t *Target) FindCapacity(ctx context.Context, documents []*parleyv1.Document, c Config, p99 time.Duration, report func(Trial)) (*Trial, error) {
	var best *Trial
	low, high := 0.0, 0.0 // sustained and not; 0: none yet
	for rate := c.Rate; ; rate = between(low, high) {
		if rate < least {
			return nil, fmt.Errorf("not even %.3g calls/s with a 99th percentile of %s", high, p99)
		}
		c.Rate = rate
		r, err := t.Run(ctx, documents, c)
		if err == nil {
			err = ctx.Err() // a load that was cut short proves nothing
		}
		if err != nil {
			return nil, err
		}
		trial := Trial{rate, r.sustained(p99), r}
		report(trial)
		if trial.Sustained {
			best, low = &trial, rate
		} else {
			high = rate
		}
		if low > 0 && high > 0 && high/low < closeEnough {
			return best, nil
		}
	}
}

// between is the rate to try next.
func between(low, high float64) float64 {
	switch {
	case high == 0:
		return 2 * low
	case low == 0:
		return high / 2
	}
	return (low + high) / 2
}

func (r *Result) sustained(p99 time.Duration) bool {
	return r.Answered > 0 && r.Failed == 0 && r.Unsent == 0 && r.Latency.P99 <= float64(p99)/float64(time.Millisecond)
}
