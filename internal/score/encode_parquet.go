package score

import (
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"

	"github.com/parley-nlp/parley/internal/dataset"
)

// groupBytes is about how much of the rows is held before a group of them is
// written.
const groupBytes = 32 << 20

// A parquetColumn is a column of the output. Add appends its values of a row, at
// least one, with the column's number.
type parquetColumn struct {
	name string
	node parquet.Node
	add  func(row parquet.Row, r *Row, column int) parquet.Row
}

// WriteParquet writes rows that were written as JSONL as a Parquet file: the
// columns of CSV, with types, compressed by zstd. Label sets are lists; scores
// and evidence are JSON. A column of the input has the type that all its values
// fit: boolean, 64-bit integer, double or text, and JSON when they are mixed or
// have an inside. The rows are read twice when they have such columns: first
// those that l names, then, with l.More, whichever else come.
func WriteParquet(w io.Writer, rows io.ReadSeeker, l Layout) error {
	kept, err := typesOf(rows, l)
	if err != nil {
		return err
	}
	columns := l.parquetColumns(kept)
	schema := ordered{Group: parquet.Group{}}
	for _, c := range columns {
		schema.Group[c.name] = c.node
		schema.names = append(schema.names, c.name)
	}
	out := parquet.NewGenericWriter[any](w, parquet.NewSchema("row", schema), parquet.Compression(&parquet.Zstd), parquet.CreatedBy("classifier", "", ""))
	if err := copyRows(out, rows, l, columns); err != nil {
		return err
	}
	return out.Close()
}

// copyRows writes the rows, a group whenever enough of them have come.
func copyRows(out *parquet.GenericWriter[any], rows io.ReadSeeker, l Layout, columns []parquetColumn) error {
	var row parquet.Row
	size := 0
	for r, err := range spooled(rows, l) {
		if err != nil {
			return err
		}
		row = row[:0]
		for i, c := range columns {
			row = c.add(row, &r, i)
		}
		if _, err := out.WriteRows([]parquet.Row{row}); err != nil {
			return err
		}
		for _, v := range row {
			size += 16 + len(v.Bytes())
		}
		if size >= groupBytes {
			if err := out.Flush(); err != nil {
				return err
			}
			size = 0
		}
	}
	return nil
}

// ordered is a group whose fields keep their order.
type ordered struct {
	parquet.Group
	names []string
}

func (o ordered) Fields() []parquet.Field {
	fields := o.Group.Fields()
	slices.SortFunc(fields, func(a, b parquet.Field) int {
		return slices.Index(o.names, a.Name()) - slices.Index(o.names, b.Name())
	})
	return fields
}

// parquetColumns are the columns of the layout, those of the input last.
func (l Layout) parquetColumns(kept []keptColumn) []parquetColumn {
	columns := []parquetColumn{{"id", parquet.String(), func(row parquet.Row, r *Row, i int) parquet.Row {
		return append(row, parquet.ValueOf(r.ID).Level(0, 0, i))
	}}}
	for _, h := range l.Heads {
		columns = append(columns, l.headColumns(h)...)
	}
	columns = append(columns, answerColumns()...)
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	for _, k := range kept {
		name := freeName(names, k.name)
		names = append(names, name)
		columns = append(columns, optional(name, k.node(), func(r *Row) any { return k.value(r) }))
	}
	return columns
}

// optional is a column of one value or none; get returns nil for none.
func optional(name string, node parquet.Node, get func(*Row) any) parquetColumn {
	return parquetColumn{name, parquet.Optional(node), func(row parquet.Row, r *Row, i int) parquet.Row {
		if v := get(r); v != nil {
			return append(row, parquet.ValueOf(v).Level(0, 1, i))
		}
		return append(row, parquet.NullValue().Level(0, 0, i))
	}}
}

// dictionary is text of few values.
func dictionary() parquet.Node { return parquet.Encoded(parquet.String(), &parquet.RLEDictionary) }

func (l Layout) headColumns(h HeadLayout) []parquetColumn {
	of := func(get func(*Prediction) any) func(*Row) any {
		return func(r *Row) any {
			if i := slices.IndexFunc(r.Predictions, func(p Prediction) bool { return p.Head == h.Name }); i >= 0 {
				return get(&r.Predictions[i])
			}
			return nil
		}
	}
	columns := []parquetColumn{
		optional(h.Name+"_label", dictionary(), of(func(p *Prediction) any { return textOrNone(p.Label) })),
		optional(h.Name+"_probability", parquet.Leaf(parquet.DoubleType), of(func(p *Prediction) any { return p.Probability })),
		optional(h.Name+"_decision", dictionary(), of(func(p *Prediction) any { return p.Decision })),
	}
	if h.Scores {
		columns = append(columns, optional(h.Name+"_scores", parquet.JSON(), of(func(p *Prediction) any { return appendScores(nil, p.Scores) })))
	}
	if h.Targets {
		columns = append(columns, optional(h.Name+"_target_weights", dictionary(), of(func(p *Prediction) any { return textOrNone(p.TargetWeights) })))
	}
	if h.Sets {
		columns = append(columns, list(h.Name+"_label_set", of(func(p *Prediction) any { return p.LabelSet })))
	}
	if l.Evidence {
		columns = append(columns, optional(h.Name+"_evidence", parquet.JSON(), of(func(p *Prediction) any { return appendEvidence(nil, p.Evidence) })))
	}
	return columns
}

// list is a column of lists of text, or none.
func list(name string, get func(*Row) any) parquetColumn {
	return parquetColumn{name, parquet.Optional(parquet.List(dictionary())), func(row parquet.Row, r *Row, i int) parquet.Row {
		items, _ := get(r).([]string)
		switch {
		case items == nil:
			return append(row, parquet.NullValue().Level(0, 0, i))
		case len(items) == 0:
			return append(row, parquet.NullValue().Level(0, 1, i))
		}
		for n, item := range items {
			row = append(row, parquet.ValueOf(item).Level(min(n, 1), 2, i))
		}
		return row
	}}
}

// answerColumns are those of the answer as a whole. A row without one has an
// error instead.
func answerColumns() []parquetColumn {
	answered := func(get func(*Row) any) func(*Row) any {
		return func(r *Row) any {
			if r.Err != nil {
				return nil
			}
			return get(r)
		}
	}
	failed := func(get func(*Error) string) func(*Row) any {
		return func(r *Row) any {
			if r.Err == nil {
				return nil
			}
			return get(r.Err)
		}
	}
	return []parquetColumn{
		optional("tokens", parquet.Int(32), answered(func(r *Row) any { return int32(r.Input.Tokens) })),
		optional("known_tokens", parquet.Int(32), answered(func(r *Row) any { return int32(r.Input.KnownTokens) })),
		optional("truncated", parquet.Leaf(parquet.BooleanType), answered(func(r *Row) any { return r.Input.Truncated })),
		optional("revision", dictionary(), answered(func(r *Row) any { return r.Revision })),
		optional("error_code", dictionary(), failed(func(e *Error) string { return e.Code })),
		optional("error_message", parquet.String(), failed(func(e *Error) string { return e.Message })),
	}
}

// textOrNone is nil for "".
func textOrNone(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// lookUp returns a row's value in a column of the input.
func lookUp(r *Row, name string) (dataset.Value, bool) {
	i := slices.IndexFunc(r.Columns, func(v dataset.Value) bool { return v.Name == name })
	if i < 0 {
		return dataset.Value{}, false
	}
	return r.Columns[i], true
}
