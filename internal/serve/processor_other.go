//go:build !unix

package serve

import "time"

// processorTime is not known here.
func processorTime() time.Duration { return 0 }
