package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// machineCores is how many processors this program may use at its start.
var machineCores = runtime.NumCPU()

// canPin tells that processes can be kept on a core.
const canPin = true

func only(core int) *unix.CPUSet {
	var set unix.CPUSet
	set.Set(core)
	return &set
}

// onCore calls start on a core, so that a process that it starts stays there;
// -1: any.
func onCore(core int, start func() error) error {
	if core < 0 {
		return start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("cores: %w", err)
	}
	if err := unix.SchedSetaffinity(0, only(core)); err != nil {
		return fmt.Errorf("core %d: %w", core, err)
	}
	defer unix.SchedSetaffinity(0, &before)
	return start()
}

// pinProcess keeps all threads of this process on a core; -1: any.
func pinProcess(core int) error {
	if core < 0 {
		return nil
	}
	runtime.GOMAXPROCS(1)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads { // later ones are started by these and stay with them
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(id, only(core)); err != nil && err != unix.ESRCH {
			return fmt.Errorf("core %d: %w", core, err)
		}
	}
	return nil
}
