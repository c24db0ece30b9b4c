package guard

import (
	"runtime"
	"runtime/metrics"
	"time"
)

// A scheduler tells whether the processors have more to do than they can.
type scheduler struct {
	sample [1]metrics.Sample
	before []uint64 // counts of the histogram when last asked
	asked  time.Time
	used   time.Duration // processor time then
}

func newScheduler() *scheduler {
	return &scheduler{sample: [1]metrics.Sample{{Name: "/sched/latencies:seconds"}}, asked: time.Now(), used: processorTime()}
}

// busy reports whether since the last call the processors were in use for 80%
// of the time, or goroutines waited for them so long that other programs must
// have had them.
func (s *scheduler) busy() bool {
	now, used := time.Now(), processorTime()
	share := float64(used-s.used) / float64(now.Sub(s.asked)) / float64(runtime.GOMAXPROCS(0))
	s.asked, s.used = now, used
	return s.wait() > 3*time.Millisecond || share > 0.8
}

// wait returns how long half of the goroutines have waited at the least since
// the last call.
func (s *scheduler) wait() time.Duration {
	metrics.Read(s.sample[:])
	h := s.sample[0].Value.Float64Histogram()
	if s.before == nil {
		s.before = make([]uint64, len(h.Counts))
	}
	total := uint64(0)
	for i, n := range h.Counts {
		s.before[i], total = n-s.before[i], total+n-s.before[i]
	}
	median, below := 0.0, uint64(0)
	for i, n := range s.before {
		if below += n; below > total/2 {
			median = max(0, h.Buckets[i]) // the first may begin at minus infinity
			break
		}
	}
	s.before = append(s.before[:0], h.Counts...)
	return time.Duration(median * float64(time.Second))
}
