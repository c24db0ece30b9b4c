package bench

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// CPUSeconds is the processor time that this process has taken so far, in user
// mode and in the system.
func CPUSeconds() float64 { return cpuSeconds(syscall.RUSAGE_SELF) }

// ChildCPUSeconds is that of the processes which this one started and which have
// ended.
func ChildCPUSeconds() float64 { return cpuSeconds(syscall.RUSAGE_CHILDREN) }

func cpuSeconds(who int) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0
	}
	return (time.Duration(u.Utime.Nano()) + time.Duration(u.Stime.Nano())).Seconds()
}

// PeakBytes is the most memory that this process has had resident so far. Its
// parent could not tell: the Maxrss of a process starts from that of the one
// that started it.
func PeakBytes() int64 { return statusBytes("self", "VmHWM:") }

// ResidentBytes is the memory that a process has resident, 0 when it has ended.
func ResidentBytes(pid int) int64 { return statusBytes(strconv.Itoa(pid), "VmRSS:") }

// statusBytes reads a field of a process's status, 0 where there is none.
func statusBytes(process, field string) int64 {
	status, err := os.ReadFile("/proc/" + process + "/status")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(status) {
		if after, ok := bytes.CutPrefix(line, []byte(field)); ok {
			kB, _ := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(after), []byte("kB")))), 10, 64)
			return kB << 10
		}
	}
	return 0
}

// PeakOf is the most memory that a process which has ended had resident. It is
// no less than that of this process when it started the other one, so small
// processes tell their own.
func PeakOf(cmd *exec.Cmd) int64 {
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		return u.Maxrss << 10
	}
	return 0
}
