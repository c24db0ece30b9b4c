package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/store"
)

// baseFiles names the files that paths stand for, with their hashes.
func baseFiles(paths []string) ([]store.BaseFile, error) {
	srcs, err := dataset.Files(paths, nil) // standard input could not be read again
	if err != nil {
		return nil, err
	}
	var list []store.BaseFile
	for _, src := range srcs {
		sum, err := fileSum(src.Name())
		if err != nil {
			return nil, err
		}
		list = append(list, store.BaseFile{Name: src.Name(), SHA256: sum})
	}
	return list, nil
}

// fileSum is the SHA-256 of a file, in hexadecimal.
func fileSum(path string) (sum string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
