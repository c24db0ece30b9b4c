package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var unitPath = filepath.Join(source, "deploy", "systemd", "classifier.service")

// unit returns the values of each key of the service's unit.
func unit(t *testing.T) map[string][]string {
	t.Helper()
	b, err := os.ReadFile(unitPath)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string][]string{}
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			keys[key] = append(keys[key], value)
		}
	}
	return keys
}

func only(t *testing.T, keys map[string][]string, key string) string {
	t.Helper()
	if len(keys[key]) != 1 {
		t.Fatalf("%s has the values %q, want one", key, keys[key])
	}
	return keys[key][0]
}

func TestUnitNamesFlagsThatExist(t *testing.T) {
	keys := unit(t)
	words := strings.Fields(only(t, keys, "ExecStart"))
	if words[0] != "/usr/bin/classifier" {
		t.Errorf("the unit starts %s", words[0])
	}
	checkServeArgs(t, words[1:])
	for _, v := range keys["Environment"] {
		name, _, _ := strings.Cut(v, "=")
		checkServeVariable(t, name)
	}
	checkDrain(t, words[1:], duration(t, only(t, keys, "TimeoutStopSec")))
	checkMemory(t, words[1:], strings.TrimSuffix(only(t, keys, "MemoryMax"), "G")+"Gi")
}

func duration(t *testing.T, s string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// systemd itself finds nothing wrong, and little that the service could do
// beyond its job.
func TestUnitIsVerified(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not here")
	}
	b, err := os.ReadFile(unitPath)
	if err != nil {
		t.Fatal(err)
	}
	// The program need not be installed here.
	copied := filepath.Join(t.TempDir(), "classifier.service")
	text := strings.Replace(string(b), "/usr/bin/classifier", built(t), 1)
	if err := os.WriteFile(copied, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(analyze, "verify", "--man=no", "--recursive-errors=no", copied).CombinedOutput()
	if err != nil || strings.Contains(string(out), "classifier.service") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	// 20 of 100: "OK" ends at 49; what is left is that it may use the network.
	out, err = exec.Command(analyze, "security", "--no-pager", "--offline=true", "--threshold=20", copied).CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
}
