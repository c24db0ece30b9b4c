//go:build !linux

package bench

import (
	"os/exec"
	"time"
)

var started = time.Now()

// CPUSeconds is measured on Linux only: here it is the time since the start.
func CPUSeconds() float64 { return time.Since(started).Seconds() }

// What follows is measured on Linux only.

func ChildCPUSeconds() float64 { return 0 }

func PeakBytes() int64 { return 0 }

func ResidentBytes(int) int64 { return 0 }

func PeakOf(*exec.Cmd) int64 { return 0 }
