package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/parley-nlp/parley/bench"
)

// A usage is the processor time that was taken until some time.
type usage struct {
	at       time.Time
	all, own time.Duration // by all programs, by this one and those that it started
}

// userTick is the unit of times in /proc.
const userTick = 10 * time.Millisecond

// ownTime is the processor time of this process and of those that it started
// and that have ended.
func ownTime() time.Duration {
	return time.Duration((bench.CPUSeconds() + bench.ChildCPUSeconds()) * float64(time.Second))
}

// processors is the usage until now; zero where the system does not tell.
func (w *workshop) processors() usage {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return usage{}
	}
	u := usage{at: time.Now(), own: ownTime()}
	first, _, _ := strings.Cut(string(stat), "\n")
	for i, field := range strings.Fields(first)[1:] {
		if i == 3 || i == 4 || i > 7 { // idle, waiting for the disk; guests count as user
			continue
		}
		u.all += ticks(field)
	}
	for _, s := range w.servers {
		if !s.hasEnded() {
			u.own += s.processorTime()
		}
	}
	return u
}

func ticks(field string) time.Duration {
	n, err := strconv.ParseInt(field, 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(n) * userTick
}

// tellOthers prints how much others kept the processors busy: promises about
// times say little when that is much.
func (w *workshop) tellOthers(before, after usage) {
	took := after.at.Sub(before.at)
	if before.all == 0 || took <= 0 {
		return
	}
	others := max(0, (after.all-before.all)-(after.own-before.own))
	w.title("the machine")
	w.figure("other programs", "took %.0f%% of %d processors meanwhile", 100*others.Seconds()/took.Seconds()/float64(machineCores), machineCores)
}

// processorTime is what the process has taken so far.
func (s *server) processorTime() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	// The name in parentheses may have spaces; the fields after it count from 3.
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	return ticks(fields[11]) + ticks(fields[12])
}

// resident is the process's memory in bytes, 0 where the system does not tell.
func (s *server) resident() int64 { return bench.ResidentBytes(s.cmd.Process.Pid) }
