//go:build !linux

package main

import "runtime"

// Without a way to choose, the system places processes.

var machineCores = runtime.NumCPU()

const canPin = false

func onCore(_ int, start func() error) error { return start() }

func pinProcess(int) error { return nil }
