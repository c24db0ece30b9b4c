package main

import (
	"fmt"
	"runtime"

	"github.com/parley-nlp/parley/internal/model"
)

// A versionCmd is "classifier version".
type versionCmd struct{}

// Run prints what decides which model files this program can read.
func (versionCmd) Run(e *env) error {
	_, err := fmt.Fprintf(e.stdout, "classifier %s\nmodel format %d, extractor %d, Unicode %s\n%s %s/%s\n",
		buildVersion(), model.FormatVersion, model.ExtractorVersion, model.UnicodeVersion, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
