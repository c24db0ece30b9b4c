// Package data embeds the labelled paragraphs that the classifier is shipped
// with. README.md beside it says what they are.
package data

import "embed"

// FS holds the corpus as .jsonl files.
//
//go:embed *.jsonl
var FS embed.FS
