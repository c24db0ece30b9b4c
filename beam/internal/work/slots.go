package work

import (
	"context"
	"runtime"
)

// slots are as many as pieces are worked on at the same time in this process.
// Runners may hand out more, whose memory would add up without a gain.
var slots = make(chan struct{}, runtime.GOMAXPROCS(0))

// takeSlot waits for a slot and returns what gives it back.
func takeSlot(ctx context.Context) (free func(), err error) {
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
