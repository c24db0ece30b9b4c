package dataset

import "io"

// Opener returns a source whose bytes open yields, as often as it is read. A
// Parquet file that is no *os.File goes to a temporary file first.
func Opener(name string, open func() (io.ReadCloser, error)) Source {
	return Source{name: name, open: open}
}

// Part returns a source of the bytes that open yields, which are whole lines of a
// file of the given name, the first of them line number line. The file must be
// one that is Cuttable: its parts together then have the rows of the file, each
// with its own line number.
func Part(name string, line int, open func() (io.ReadCloser, error)) Source {
	return Source{name: name, open: open, line: line}
}

// Cuttable reports whether a file can be read in parts that begin at any line: it
// is JSON lines, neither compressed nor, as far as its beginning tells, in another
// encoding than UTF-8, and its first rows have all columns that must be there
// somewhere. All columns (KeepAll) are kept of whole files only, as there is a
// limit to how many one file may have. The error is the one that reading the file
// would begin with.
func Cuttable(src Source, opts Options) (bool, error) {
	if err := opts.check(); err != nil {
		return false, err
	}
	r, err := open(src, opts)
	if err != nil {
		return false, err
	}
	defer r.close()
	_, lines := r.dec.(*jsonl)
	plain := lines && r.in.kind == "" && !r.table.keepAll
	r.needNamed = true
	for range surveyRows {
		if _, err := r.next(); err == io.EOF {
			return false, nil
		} else if isFinal(err) {
			return false, err
		}
		if r.missing() == nil {
			return plain && r.text.has && r.in.encoding == EncodingAuto, nil
		}
	}
	return false, nil
}
