package score

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"

	"github.com/parley-nlp/parley/internal/dataset"
)

// spooled reads rows that were written as JSONL, from the beginning. Predictions
// come in the order of the layout.
func spooled(rows io.ReadSeeker, l Layout) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		if _, err := rows.Seek(0, io.SeekStart); err != nil {
			yield(Row{}, err)
			return
		}
		in := bufio.NewReaderSize(rows, 1<<16)
		for n := 1; ; n++ {
			line, err := in.ReadBytes('\n')
			if err == io.EOF && len(line) == 0 {
				return
			}
			if err != nil {
				yield(Row{}, fmt.Errorf("row %d: %w", n, noEOF(err)))
				return
			}
			row, err := parseRow(line, l)
			if err != nil {
				err = fmt.Errorf("row %d: %w", n, err)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// noEOF is the error of a line that ends early.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// A spooledRow is a row as JSON.
type spooledRow struct {
	ID          string
	Predictions map[string]spooledPrediction
	Input       Input
	Revision    string
	Error       *Error
	Columns     json.RawMessage
}

type spooledPrediction struct {
	Prediction
	Evidence []struct {
		Term string
		Nats float64
	}
}

// parseRow reads one row.
func parseRow(line []byte, l Layout) (Row, error) {
	var s spooledRow
	if err := json.Unmarshal(line, &s); err != nil {
		return Row{}, err
	}
	r := Row{ID: s.ID, Input: s.Input, Revision: s.Revision, Err: s.Error}
	found := 0
	for _, h := range l.Heads {
		p, ok := s.Predictions[h.Name]
		if !ok {
			continue
		}
		found++
		p.Head = h.Name
		for _, e := range p.Evidence {
			p.Prediction.Evidence = append(p.Prediction.Evidence, Evidence{e.Term, e.Nats})
		}
		r.Predictions = append(r.Predictions, p.Prediction)
	}
	if found < len(s.Predictions) {
		return r, fmt.Errorf("%q has a head that the others do not have", s.ID)
	}
	var err error
	r.Columns, err = parseColumns(s.Columns)
	return r, err
}

// parseColumns reads an object whose members keep their order.
func parseColumns(object json.RawMessage) ([]dataset.Value, error) {
	if len(object) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var values []dataset.Value
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		values = append(values, dataset.Value{Name: fmt.Sprint(name), Text: string(value), JSON: true})
	}
	return values, nil
}
