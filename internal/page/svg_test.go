package page

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Every paint must come out of a drawing as it went in, as a stroke and as a
// fill, and the style sheet must know it.
func TestPaints(t *testing.T) {
	for p := ink; p <= band; p++ {
		c := vgsvg.New(10, 10)
		c.SetColor(p)
		c.SetLineWidth(1)
		square := vg.Rectangle{Max: vg.Point{X: 5, Y: 5}}.Path()
		c.Fill(square)
		c.Stroke(square)
		var b bytes.Buffer
		if _, err := c.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		got, err := inline(&b, "")
		if err != nil {
			t.Errorf("paint %d: %v", p, err)
		}
		for _, class := range []string{`class="f-` + paintClass[p] + `"`, `class="s-` + paintClass[p] + `"`} {
			if !strings.Contains(string(got), class) {
				t.Errorf("no %s in %s", class, got)
			}
		}
		if !strings.Contains(pageCSS, "f-"+paintClass[p]+" {") && !strings.Contains(pageCSS, "s-"+paintClass[p]+" {") {
			t.Errorf("the style sheet has neither f-%s nor s-%[1]s", paintClass[p])
		}
	}
}

func TestInline(t *testing.T) {
	const drawing = `<?xml version="1.0"?>
<!-- made -->
<svg width="40pt" height="30pt" viewBox="0 0 40 30" xmlns="http://www.w3.org/2000/svg">
<g transform="scale(1, -1)">
<path d="M0,0L5,5" style="fill:none;stroke:#FF0004;stroke-width:1.5;stroke-dasharray:3,3"/>
<text x="1" y="-2" transform="scale(1, -1)"
	style="font-family:Liberation Sans;font-weight:normal;font-size:11px;fill:#FF0001">|a &lt;b&gt; &amp;</text>
</g>
</svg>
`
	const want = `<svg role="img" aria-label="of &#34;a&#34;" viewBox="0 0 40 30"><g transform="scale(1, -1)">` +
		`<path d="M0,0L5,5" fill="none" stroke-width="1.5" stroke-dasharray="3,3" class="s-first"></path>` +
		`<text x="1" y="-2" transform="scale(1, -1)" font-size="11" class="f-ink" text-anchor="middle">a &lt;b&gt; &amp;</text></g></svg>`
	got, err := inline(strings.NewReader(drawing), `of "a"`)
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

func TestInlineRefuses(t *testing.T) {
	tests := []struct{ drawing, want string }{
		{`<svg><path d="M0,0" style="fill:#123456"/></svg>`, "colour #123456 stands for nothing"},
		{`<svg><path d="M0,0" style="stroke-width:2"/></svg>`, `no colour in "stroke-width:2"`},
		{`<svg><text style="fill:#FF0001">plain</text></svg>`, `text "plain" has no anchor`},
		{`<svg><path`, "unexpected EOF"},
	}
	for _, test := range tests {
		_, err := inline(strings.NewReader(test.drawing), "")
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.drawing, err, test.want)
		}
	}
}

// Whatever is drawn, every colour must have a name and every text an anchor.
func TestRender(t *testing.T) {
	p := newPlot(`x <&"'>`, "y \u202e")
	p.Add(gridLines(), rule(0, 0, 1, 1), points(nil, first, draw.CircleGlyph{}))
	p.Y.Tick.Marker = plot.ConstantTicks{{Value: .5, Label: "שלום"}, {Value: 1, Label: "和平"}}
	got, err := render(p, plotWidth, plotHeight, `"><script>`)
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal([]byte(got), new(struct{ XMLName xml.Name })); err != nil {
		t.Errorf("%v in %s", err, got)
	}
	for _, want := range []string{"x &lt;&amp;&#34;&#39;&gt;", "שלום", "和平", fmt.Sprintf(`viewBox="0 0 %v %v"`, float64(plotWidth), float64(plotHeight))} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
	for _, no := range []string{"<script", "style=", "Liberation", "xmlns", "#"} {
		if rest := strings.ReplaceAll(string(got), "&#", ""); strings.Contains(rest, no) {
			t.Errorf("%q in %s", no, got)
		}
	}
}
