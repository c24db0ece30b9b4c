package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"time"
)

// isWorker reports whether a runner has started this process as a worker.
func isWorker() bool {
	f := flag.Lookup("worker")
	return f != nil && f.Value.String() == "true"
}

// leaveEvery is the time between two looks at the runner.
const leaveEvery = 2 * time.Second

// leaveWithRunner ends this process, a worker, when the process that started it
// has ended or the runner cannot be reached any more: Beam's own worker stays for
// ever then.
func leaveWithRunner() {
	parent := os.Getppid()
	control := flag.Lookup("control_endpoint").Value.String()
	go func() {
		for lost := 0; lost < 3; time.Sleep(leaveEvery) {
			if os.Getppid() != parent {
				break
			}
			lost++
			if conn, err := net.DialTimeout("tcp", control, leaveEvery); err == nil {
				conn.Close()
				lost = 0
			}
		}
		fmt.Fprintln(os.Stderr, "parley-beam: the runner has gone")
		os.Exit(1)
	}()
}
