package score

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/parley-nlp/parley/internal/dataset"
)

// jsonEncoder writes a JSON object a line. The bytes are those of encoding/json
// without its escapes of <, > and &; tests hold the two against each other.
type jsonEncoder struct{ evidence bool }

func (jsonEncoder) Header() []byte { return nil }

func (e jsonEncoder) Append(dst []byte, r *Row) ([]byte, error) {
	if err := r.check(e.evidence); err != nil {
		return dst, err
	}
	return append(e.appendRow(dst, r), '\n'), nil
}

// check returns an error when a number that is to be written is not finite: no
// format has such numbers.
func (r *Row) check(evidence bool) error {
	if r.Err != nil {
		return nil
	}
	for i := range r.Predictions {
		p := &r.Predictions[i]
		bad := notFinite(p.Probability)
		for _, s := range p.Scores {
			bad = bad || notFinite(s.Probability)
		}
		for _, e := range p.Evidence {
			bad = bad || evidence && notFinite(e.Nats)
		}
		if bad {
			return fmt.Errorf("row %q, head %q: a number is not finite", r.ID, p.Head)
		}
	}
	return nil
}

func notFinite(f float64) bool { return math.IsNaN(f) || math.IsInf(f, 0) }

// appendRow appends the object, without a line break.
func (e jsonEncoder) appendRow(b []byte, r *Row) []byte {
	b = appendString(append(b, `{"id":`...), r.ID)
	if r.Err != nil {
		b = appendString(append(b, `,"error":{"code":`...), r.Err.Code)
		b = append(appendString(append(b, `,"message":`...), r.Err.Message), '}')
		return append(appendColumns(b, r.Columns), '}')
	}
	b = append(b, `,"predictions":{`...)
	for i := range r.Predictions {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.appendPrediction(b, &r.Predictions[i])
	}
	b = appendInput(append(b, `},"input":`...), r.Input)
	b = appendString(append(b, `,"revision":`...), r.Revision)
	return append(appendColumns(b, r.Columns), '}')
}

func (e jsonEncoder) appendPrediction(b []byte, p *Prediction) []byte {
	b = append(appendString(b, p.Head), `:{"label":`...)
	b = append(appendString(b, p.Label), `,"probability":`...)
	b = append(appendFloat(b, p.Probability), `,"decision":`...)
	b = append(appendString(b, p.Decision), `,"scores":`...)
	b = appendScores(b, p.Scores)
	if p.TargetWeights != "" {
		b = appendString(append(b, `,"target_weights":`...), p.TargetWeights)
	}
	if p.LabelSet != nil {
		b = appendStrings(append(b, `,"label_set":`...), p.LabelSet)
	}
	if e.evidence {
		b = appendEvidence(append(b, `,"evidence":`...), p.Evidence)
	}
	return append(b, '}')
}

func appendScores(b []byte, scores []Score) []byte {
	if scores == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, s := range scores {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(append(b, `{"label":`...), s.Label), `,"probability":`...)
		b = append(appendFloat(b, s.Probability), '}')
	}
	return append(b, ']')
}

func appendEvidence(b []byte, terms []Evidence) []byte {
	b = append(b, '[')
	for i, e := range terms {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(append(b, `{"term":`...), e.Term), `,"nats":`...)
		b = append(appendFloat(b, round(e.Nats)), '}')
	}
	return append(b, ']')
}

func appendStrings(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

func appendInput(b []byte, in Input) []byte {
	b = strconv.AppendInt(append(b, `{"tokens":`...), int64(in.Tokens), 10)
	b = strconv.AppendInt(append(b, `,"known_tokens":`...), int64(in.KnownTokens), 10)
	if in.Truncated {
		b = append(b, `,"truncated":true`...)
	}
	return append(b, '}')
}

// appendColumns appends the member for the columns of the input, if there are any.
func appendColumns(b []byte, columns []dataset.Value) []byte {
	if len(columns) == 0 {
		return b
	}
	return appendObject(append(b, `,"columns":`...), columns)
}

func appendObject(b []byte, columns []dataset.Value) []byte {
	b = append(b, '{')
	for i, c := range columns {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, c.Name), ':')
		if c.JSON {
			b = append(b, c.Text...)
		} else {
			b = appendString(b, c.Text)
		}
	}
	return append(b, '}')
}

// appendFloat writes a number as ECMAScript does: an exponent for what is very
// small or large, without a zero before a single digit.
func appendFloat(b []byte, f float64) []byte {
	if size := math.Abs(f); size == 0 || size >= 1e-6 && size < 1e21 {
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	b = strconv.AppendFloat(b, f, 'e', -1, 64)
	if n := len(b); b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' {
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}

// plainBytes are those that a JSON string holds as they are.
var plainBytes = func() (plain [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()

// appendString appends a JSON string. Bytes that are no UTF-8 become U+FFFD; the
// line separators of Unicode are escaped, as JavaScript once took them for the
// end of a line.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	done := 0
	for i := 0; i < len(s); {
		if plainBytes[s[i]] {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if n > 1 && r != '\u2028' && r != '\u2029' {
			i += n
			continue
		}
		b = appendEscape(append(b, s[done:i]...), r)
		i += n
		done = i
	}
	return append(append(b, s[done:]...), '"')
}

func appendEscape(b []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	switch r {
	case '"', '\\':
		return append(b, '\\', byte(r))
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	return append(b, '\\', 'u', hex[r>>12], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
