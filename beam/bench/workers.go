package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// lookEvery is the time between two looks at workers: what one does after the last
// look is not seen.
const lookEvery = 50 * time.Millisecond

// ticksPerSecond is the unit of processor time in /proc (USER_HZ).
const ticksPerSecond = 100

// watchWorkers looks at the processes that run a program as a worker, whom nobody
// here waits for, until the function that it returns is called, which says what
// they took.
func watchWorkers(program string) func() cost {
	seen, stop, done := map[string]cost{}, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			maps.Copy(seen, lookAtWorkers(program))
			select {
			case <-stop:
				return
			case <-time.After(lookEvery):
			}
		}
	}()
	return func() cost {
		close(stop)
		<-done
		var all cost
		for _, c := range seen {
			all.cpu, all.memory = all.cpu+c.cpu, max(all.memory, c.memory)
		}
		return all
	}
}

// lookAtWorkers is what workers have taken so far, by process.
func lookAtWorkers(program string) map[string]cost {
	found := map[string]cost{}
	folders, _ := filepath.Glob("/proc/[0-9]*") // the pattern is well formed
	for _, f := range folders {
		path, err := os.Readlink(filepath.Join(f, "exe"))
		args, _ := os.ReadFile(filepath.Join(f, "cmdline"))
		if err != nil || path != program || !bytes.Contains(args, []byte("--worker=true")) {
			continue
		}
		stat, _ := os.ReadFile(filepath.Join(f, "stat")) // it may just have ended
		status, _ := os.ReadFile(filepath.Join(f, "status"))
		if c, ok := readCost(string(stat), string(status)); ok {
			found[f] = c
		}
	}
	return found
}

// readCost reads the files of a process, of the forms in proc_pid_stat(5) and
// proc_pid_status(5).
func readCost(stat, status string) (cost, bool) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	_, peak, ok := strings.Cut(status, "VmHWM:")
	if !ok || len(fields) < 13 {
		return cost{}, false
	}
	var user, system, kilobytes int64
	if _, err := fmt.Sscan(fields[11]+" "+fields[12]+" "+peak, &user, &system, &kilobytes); err != nil {
		return cost{}, false
	}
	return cost{cpu: time.Duration(user+system) * time.Second / ticksPerSecond, memory: kilobytes << 10}, true
}
