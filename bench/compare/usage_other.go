//go:build !linux

package main

import (
	"os/exec"
	"time"
)

var started = time.Now()

// cpuSeconds is measured on Linux only: here it is the time since the start.
func cpuSeconds() float64 { return time.Since(started).Seconds() }

// peakBytes and peakOf are measured on Linux only.
func peakBytes() int64 { return 0 }

func peakOf(*exec.Cmd) int64 { return 0 }
