package main

import (
	"os"
	"runtime"
	"strings"
)

// A machine is where the figures come from.
type machine struct {
	CPU     string `json:"cpu"`
	Cores   int    `json:"cores"`
	System  string `json:"system"`
	Go      string `json:"go"`
	Load    string `json:"load_average_at_start"` // 1, 5 and 15 minutes; "" where the system does not tell
	Sklearn string `json:"scikit_learn,omitempty"`
}

func thisMachine() machine {
	info, _ := os.ReadFile("/proc/cpuinfo") // without it the processor is not named
	load, _ := os.ReadFile("/proc/loadavg")
	return machine{
		CPU:    processor(string(info)),
		Cores:  runtime.NumCPU(),
		System: runtime.GOOS + "/" + runtime.GOARCH,
		Go:     runtime.Version(),
		Load:   strings.Join(firstFields(string(load), 3), " "),
	}
}

// processor returns the model that /proc/cpuinfo names.
func processor(info string) string {
	for line := range strings.Lines(info) {
		key, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

func firstFields(s string, n int) []string {
	fields := strings.Fields(s)
	return fields[:min(n, len(fields))]
}
