package score

import (
	"encoding/json"
	"fmt"

	"github.com/parley-nlp/parley/internal/dataset"
)

// ReadOptions reads a file of rows as JSONL: the id as the text, all else kept.
func ReadOptions(maxRow int) dataset.Options {
	return dataset.Options{
		Columns: dataset.Columns{Text: "id"}, NoLabels: true, Keep: []string{dataset.KeepAll},
		Format: dataset.FormatJSONL, MaxRowBytes: maxRow,
	}
}

// DecodeRow makes a row of what ReadOptions read, with the predictions of the
// given heads in their order.
func DecodeRow(ex dataset.Example, heads []string) (Row, error) {
	r := Row{ID: ex.Text}
	predictions := map[string]Prediction{}
	for _, v := range ex.Kept {
		var err error
		switch v.Name {
		case "predictions":
			err = json.Unmarshal([]byte(v.Text), &predictions)
		case "revision":
			err = json.Unmarshal([]byte(v.Text), &r.Revision)
		case "error":
			err = json.Unmarshal([]byte(v.Text), &r.Err)
		case "columns":
			err = decodeColumns(&r, v.Text)
		}
		if err != nil {
			return r, fmt.Errorf("%s:%d: %q: not a row that classifier score writes: %w", ex.File, ex.Line, v.Name, err)
		}
	}
	if r.Err != nil {
		return r, nil
	}
	for _, h := range heads {
		p, ok := predictions[h]
		if !ok || len(p.Scores) == 0 {
			return r, fmt.Errorf("%s:%d: no prediction of head %q: not a row that classifier score writes with this model", ex.File, ex.Line, h)
		}
		p.Head = h
		r.Predictions = append(r.Predictions, p)
	}
	return r, nil
}

func decodeColumns(r *Row, text string) error {
	var columns map[string]json.RawMessage
	err := json.Unmarshal([]byte(text), &columns)
	for name, value := range columns { // their order does not matter to who looks them up
		r.Columns = append(r.Columns, dataset.Value{Name: name, Text: string(value), JSON: true})
	}
	return err
}

// Column returns the text of a column that was carried along, "" where the row
// does not have it.
func (r *Row) Column(name string) string {
	for _, v := range r.Columns {
		if v.Name == name && v.Text != "" {
			return plainText(v)
		}
	}
	return ""
}
