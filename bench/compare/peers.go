package main

import (
	"context"
	_ "embed"
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// sklearnScript trains and runs scikit-learn's models.
//
//go:embed sklearn.py
var sklearnScript string

// debianPython is the interpreter that Debian's packages are installed for.
const debianPython = "/usr/bin/python3"

// needFastText says what to install when fastText is not there.
func needFastText() error {
	if _, err := exec.LookPath("fasttext"); err != nil {
		return fmt.Errorf("no program fasttext: install the Debian package fasttext, or leave it out by --only")
	}
	return nil
}

// needSklearn returns the version of scikit-learn, or says what to install.
func needSklearn(ctx context.Context) (version string, err error) {
	u, err := run(ctx, sklearn("version"), nil, true)
	if err != nil {
		return "", fmt.Errorf("no scikit-learn: install the Debian package python3-sklearn, or leave it out by --only: %w", err)
	}
	return strings.TrimSpace(string(u.output)), nil
}

func sklearn(args ...string) []string {
	return append([]string{debianPython, "-c", sklearnScript}, args...)
}

// fastTextDefaults is fastText's training on pairs of words.
func fastTextDefaults(in, out string, threads int, more ...string) []string {
	return append([]string{"fasttext", "supervised", "-input", in, "-output", out, "-wordNgrams", "2",
		"-thread", strconv.Itoa(threads), "-verbose", "0"}, more...)
}

// fastTextFor is a training whose model is worth comparing: with the defaults
// it learns hardly anything from data as small as that of most services. Its
// speed in predicting is the same.
func fastTextFor(in, out, kind string) []string {
	if kind == withCharacters {
		return fastTextDefaults(in, out, runtime.NumCPU(), "-lr", "0.5", "-minn", "2", "-maxn", "5")
	}
	return fastTextDefaults(in, out, runtime.NumCPU(), "-lr", "0.5", "-epoch", "25")
}
