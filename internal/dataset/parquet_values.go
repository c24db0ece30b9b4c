package dataset

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// A renderer appends a value that is not null, as text or as JSON: numbers and
// booleans are those of JSON, times are text as RFC 3339 has it, decimals
// numbers with all their digits.
type renderer func([]byte, parquet.Value) ([]byte, kind)

// rendererOf returns how values of a column are rendered, nil when they are not.
func rendererOf(c *parquet.Column) renderer {
	if !c.Leaf() || c.MaxRepetitionLevel() > 0 || len(c.Path()) != 1 {
		return nil
	}
	var logical any
	if l := c.Type().LogicalType(); l != nil {
		logical = l.Value
	}
	switch l := logical.(type) {
	case *format.DecimalType:
		return func(b []byte, v parquet.Value) ([]byte, kind) {
			return appendDecimal(b, unscaled(v), int(l.Scale)), jsonNumber
		}
	case *format.DateType:
		return renderDate
	case *format.TimestampType:
		return renderTimestamp(l)
	case *format.TimeType:
		return renderTime(l)
	case *format.IntType:
		if !l.IsSigned {
			return renderUnsigned
		}
	case *format.JsonType:
		return renderJSON
	case *format.UUIDType:
		return renderUUID
	case *format.BsonType, *format.Float16Type, *format.VariantType, *format.GeometryType, *format.GeographyType:
		return nil
	}
	return physical(c.Type().Kind())
}

// physical is the renderer for values that are nothing more than their type
// says. Bytes are text when they are UTF-8, which is checked later.
func physical(k parquet.Kind) renderer {
	switch k {
	case parquet.Boolean:
		return func(b []byte, v parquet.Value) ([]byte, kind) { return strconv.AppendBool(b, v.Boolean()), jsonBool }
	case parquet.Int32, parquet.Int64:
		return func(b []byte, v parquet.Value) ([]byte, kind) { return strconv.AppendInt(b, whole(v), 10), jsonNumber }
	case parquet.Float:
		return func(b []byte, v parquet.Value) ([]byte, kind) { return appendFinite(b, float64(v.Float()), 32) }
	case parquet.Double:
		return func(b []byte, v parquet.Value) ([]byte, kind) { return appendFinite(b, v.Double(), 64) }
	case parquet.ByteArray:
		return func(b []byte, v parquet.Value) ([]byte, kind) { return append(b, v.ByteArray()...), plain }
	case parquet.Int96:
		return renderInt96
	}
	return nil
}

// whole returns an integer of either size.
func whole(v parquet.Value) int64 {
	if v.Kind() == parquet.Int32 {
		return int64(v.Int32())
	}
	return v.Int64()
}

func renderUnsigned(b []byte, v parquet.Value) ([]byte, kind) {
	if v.Kind() == parquet.Int32 {
		return strconv.AppendUint(b, uint64(uint32(v.Int32())), 10), jsonNumber
	}
	return strconv.AppendUint(b, uint64(v.Int64()), 10), jsonNumber
}

// appendFinite appends a number, or null for one that JSON does not have.
func appendFinite(b []byte, f float64, bits int) ([]byte, kind) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(b, "null"...), jsonNull
	}
	return strconv.AppendFloat(b, f, 'g', -1, bits), jsonNumber
}

func renderDate(b []byte, v parquet.Value) ([]byte, kind) {
	return time.Unix(whole(v)*24*60*60, 0).UTC().AppendFormat(b, time.DateOnly), plain
}

// renderTimestamp renders points in time, with the "Z" of UTC when they are.
func renderTimestamp(l *format.TimestampType) renderer {
	layout := "2006-01-02T15:04:05.999999999"
	if l.IsAdjustedToUTC {
		layout += "Z"
	}
	return func(b []byte, v parquet.Value) ([]byte, kind) {
		return unixTime(whole(v), l.Unit).AppendFormat(b, layout), plain
	}
}

func renderTime(l *format.TimeType) renderer {
	return func(b []byte, v parquet.Value) ([]byte, kind) {
		return unixTime(whole(v), l.Unit).AppendFormat(b, "15:04:05.999999999"), plain
	}
}

// unixTime counts units from 1970.
func unixTime(n int64, unit format.TimeUnit) time.Time {
	switch unit.Value.(type) {
	case *format.MilliSeconds:
		return time.UnixMilli(n).UTC()
	case *format.MicroSeconds:
		return time.UnixMicro(n).UTC()
	}
	return time.Unix(0, n).UTC()
}

// renderInt96 renders the timestamps of old writers: nanoseconds of the day, and
// the number of the day, of which 1970 began with 2440588.
func renderInt96(b []byte, v parquet.Value) ([]byte, kind) {
	i := v.Int96()
	nanos := int64(uint64(i[1])<<32 | uint64(i[0]))
	day := time.Unix((int64(i[2])-2440588)*24*60*60, 0).UTC()
	return day.Add(time.Duration(nanos)).AppendFormat(b, "2006-01-02T15:04:05.999999999"), plain
}

func renderJSON(b []byte, v parquet.Value) ([]byte, kind) {
	raw := bytes.TrimSpace(v.ByteArray())
	if !json.Valid(raw) {
		return append(b, raw...), plain
	}
	return append(b, raw...), kindOf(raw[0])
}

func renderUUID(b []byte, v parquet.Value) ([]byte, kind) {
	raw := v.ByteArray()
	if len(raw) != 16 {
		return hex.AppendEncode(b, raw), plain
	}
	for i, part := range [][]byte{raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	return b, plain
}

// unscaled returns the digits of a decimal as a whole number.
func unscaled(v parquet.Value) *big.Int {
	if k := v.Kind(); k == parquet.Int32 || k == parquet.Int64 {
		return big.NewInt(whole(v))
	}
	raw := v.ByteArray() // two's complement, the largest first
	n := new(big.Int).SetBytes(raw)
	if len(raw) > 0 && raw[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(raw))))
	}
	return n
}

// appendDecimal appends n / 10^scale.
func appendDecimal(b []byte, n *big.Int, scale int) []byte {
	if n.Sign() < 0 {
		b = append(b, '-')
	}
	digits := new(big.Int).Abs(n).String()
	if scale <= 0 {
		return append(b, digits...)
	}
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	whole := len(digits) - scale
	return append(append(append(b, digits[:whole]...), '.'), digits[whole:]...)
}
