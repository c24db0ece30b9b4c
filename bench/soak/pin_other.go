//go:build !linux

package main

// Without a way to choose, the system places processes.

func coreCount() int { return 1 }

func onCore(_ int, start func() error) error { return start() }

func pinProcess(int) error { return nil }
