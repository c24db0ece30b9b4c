package page

import (
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"io"
	"strings"
)

// A paint is what a part of a plot means. A plot is drawn in paints; the style
// sheet gives each its colour, one for light and one for dark.
//
// The drawing library knows colours only, so each paint is a colour that stands
// for it in the drawing and that inline replaces by a class.
type paint uint8

const (
	ink    paint = iota + 1 // text and axes
	muted                   // text of less weight, reference lines
	grid                    // lines to read values from
	first                   // the first series: accuracy
	second                  // the second series: macro-F1
	band                    // the area of an interval
)

// paintClass is the suffix of a paint's classes: "s-ink" strokes, "f-ink" fills.
var paintClass = [...]string{
	ink: "ink", muted: "muted", grid: "grid", first: "first", second: "second", band: "band",
}

// RGBA is the colour that stands for p.
func (p paint) RGBA() (r, g, b, a uint32) {
	return 0xffff, 0x0000, uint32(p) * 0x0101, 0xffff
}

// code is how RGBA is written in a drawing.
func (p paint) code() string { return fmt.Sprintf("#FF00%02X", uint8(p)) }

// paintOf finds the paint that a colour in a drawing stands for.
func paintOf(code string) (paint, error) {
	for p := ink; p <= band; p++ {
		if p.code() == code {
			return p, nil
		}
	}
	return 0, fmt.Errorf("colour %s stands for nothing", code)
}

// inline rewrites a drawing as part of an HTML page: no prologue, no inline
// style (a strict content security policy forbids it), classes in the place of
// colours and fonts, and a name for those who cannot see it.
func inline(drawing io.Reader, name string) (template.HTML, error) {
	var b strings.Builder
	d := xml.NewDecoder(drawing)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return template.HTML(b.String()), nil
		}
		if err != nil {
			return "", err
		}
		if err := writeToken(&b, token, name); err != nil {
			return "", err
		}
	}
}

func writeToken(b *strings.Builder, token xml.Token, name string) error {
	switch t := token.(type) {
	case xml.StartElement:
		return writeElement(b, t, name)
	case xml.EndElement:
		fmt.Fprintf(b, "</%s>", t.Name.Local)
	case xml.CharData:
		if s := strings.TrimSpace(string(t)); s != "" {
			return writeAnchored(b, s)
		}
	}
	return nil // the prologue and comments go
}

// writeElement leaves the start tag of text open, as its anchor is only known
// from the text.
func writeElement(b *strings.Builder, e xml.StartElement, name string) error {
	fmt.Fprintf(b, "<%s", e.Name.Local)
	if e.Name.Local == "svg" {
		writeAttr(b, "role", "img")
		writeAttr(b, "aria-label", name)
	}
	for _, a := range e.Attr {
		switch a.Name.Local {
		case "viewBox", "transform", "d", "x", "y":
			writeAttr(b, a.Name.Local, a.Value)
		case "style":
			if err := writeStyle(b, a.Value); err != nil {
				return err
			}
		}
	}
	if e.Name.Local != "text" {
		b.WriteString(">")
	}
	return nil
}

// writeAnchored ends the start tag of a text, whose first character says how it
// lies to its point (see anchored).
func writeAnchored(b *strings.Builder, s string) error {
	anchor, ok := anchors[s[:1]]
	if !ok {
		return fmt.Errorf("text %q has no anchor", s)
	}
	writeAttr(b, "text-anchor", anchor)
	b.WriteString(">")
	return xml.EscapeText(b, []byte(s[1:]))
}

// writeStyle turns the declarations of a style attribute into attributes.
func writeStyle(b *strings.Builder, style string) error {
	var classes []string
	for declaration := range strings.SplitSeq(style, ";") {
		property, value, _ := strings.Cut(declaration, ":")
		switch property {
		case "fill", "stroke":
			if value == "none" {
				writeAttr(b, property, value)
				break
			}
			p, err := paintOf(value)
			if err != nil {
				return err
			}
			classes = append(classes, property[:1]+"-"+paintClass[p])
		case "stroke-width", "stroke-dasharray", "font-size":
			writeAttr(b, property, strings.TrimSuffix(value, "px"))
		}
	}
	if len(classes) == 0 {
		return fmt.Errorf("no colour in %q", style)
	}
	writeAttr(b, "class", strings.Join(classes, " "))
	return nil
}

func writeAttr(b *strings.Builder, name, value string) {
	fmt.Fprintf(b, ` %s="`, name)
	xml.EscapeText(b, []byte(value)) // a strings.Builder takes everything
	b.WriteString(`"`)
}
