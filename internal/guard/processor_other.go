//go:build !unix

package guard

import "time"

// processorTime is not known here.
func processorTime() time.Duration { return 0 }
