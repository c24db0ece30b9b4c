//go:build gcs

package main

import _ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/dataflow" // which takes files from gs:// alone

func init() { runnerNames = append(runnerNames, "dataflow", "DataflowRunner") }
