//go:build !linux

package main

import (
	"runtime"
	"time"
)

// Without a way to choose, the system places processes.

var machineCores = runtime.NumCPU()

const canPin = false

func ownTime() time.Duration { return 0 }

func onCore(_ int, start func() error) error { return start() }

func pinProcess(int) error { return nil }
