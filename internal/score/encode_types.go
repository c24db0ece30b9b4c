package score

import (
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/parley-nlp/parley/internal/dataset"
)

// A columnType is what all values of a column of the input fit.
type columnType int

const (
	noType columnType = iota // there are no values
	boolType
	intType
	bigType // integers that a double would round
	doubleType
	textType
	jsonType // mixed, or with an inside
)

// A keptColumn is a column of the input.
type keptColumn struct {
	name string
	typ  columnType
}

// typesOf reads the rows and returns the columns of the input that they have:
// first those of the layout, then the others as they come.
func typesOf(rows io.ReadSeeker, l Layout) ([]keptColumn, error) {
	var columns []keptColumn
	at := map[string]int{}
	place := func(name string) int {
		i, ok := at[name]
		if !ok {
			i = len(columns)
			at[name], columns = i, append(columns, keptColumn{name: name})
		}
		return i
	}
	for _, name := range l.Columns {
		place(name)
	}
	if len(columns) == 0 && !l.More {
		return nil, nil
	}
	for r, err := range spooled(rows, l) {
		if err != nil {
			return nil, err
		}
		for _, v := range r.Columns {
			c := &columns[place(v.Name)]
			c.typ = join(c.typ, typeOf(v.Text))
		}
	}
	return columns, nil
}

// join returns the type that values of both fit.
func join(a, b columnType) columnType {
	switch {
	case a == noType || a == b:
		return b
	case b == noType:
		return a
	case min(a, b) == intType && max(a, b) <= doubleType: // with bigType or doubleType
		return max(a, b)
	}
	return jsonType
}

// typeOf returns the type of a JSON value. A number that neither 64 bits nor a
// double hold with all its digits stays JSON.
func typeOf(text string) columnType {
	switch text[0] {
	case 'n':
		return noType
	case 't', 'f':
		return boolType
	case '"':
		return textType
	case '[', '{':
		return jsonType
	}
	if !strings.ContainsAny(text, ".eE") {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && (n != 0 || text == "0") {
			if n >= 1<<53 || n <= -1<<53 {
				return bigType
			}
			return intType
		}
		return jsonType
	}
	if f, err := strconv.ParseFloat(text, 64); err != nil || math.IsInf(f, 0) || digits(text) > 17 {
		return jsonType
	}
	return doubleType
}

// digits counts the digits of a number before its exponent.
func digits(text string) (n int) {
	mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
	for _, c := range strings.TrimLeft(mantissa, "-0.") {
		if c != '.' {
			n++
		}
	}
	return n
}

func (k keptColumn) node() parquet.Node {
	switch k.typ {
	case boolType:
		return parquet.Leaf(parquet.BooleanType)
	case intType, bigType:
		return parquet.Int(64)
	case doubleType:
		return parquet.Leaf(parquet.DoubleType)
	case jsonType:
		return parquet.JSON()
	}
	return parquet.String()
}

// value returns a row's value, nil when it has none.
func (k keptColumn) value(r *Row) any {
	v, ok := lookUp(r, k.name)
	if !ok || v.Text == "null" {
		return nil
	}
	switch k.typ {
	case boolType:
		return v.Text == "true"
	case intType, bigType:
		n, _ := strconv.ParseInt(v.Text, 10, 64)
		return n
	case doubleType:
		f, _ := strconv.ParseFloat(v.Text, 64)
		return f
	case jsonType:
		return []byte(v.Text)
	}
	return plainText(dataset.Value{Text: v.Text, JSON: true})
}
