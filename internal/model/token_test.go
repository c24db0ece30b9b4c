package model

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// folds returns the folded tokens of text, as tokenize leaves them in t.
func folds(t *tokenizer, text string) []string {
	t.tokenize(text)
	var s []string
	for i := range t.tokens {
		s = append(s, string(t.foldedToken(&t.tokens[i])))
	}
	return s
}

// show writes the tokens of text, separated by " | ": the folded text, then
// =span where the text has something else there, then what the token is when
// it does not count as a word: (mark) without character n-grams, (tag) with.
func show(text string) string {
	var t tokenizer
	var out []string
	for i, fold := range folds(&t, text) {
		k := t.tokens[i]
		if span := text[k.start:k.end]; span != fold {
			fold += "=" + span
		}
		switch {
		case !k.word && !k.wordlike:
			fold += "(mark)"
		case !k.word:
			fold += "(tag)"
		case !k.wordlike:
			fold += "(word without characters)"
		}
		out = append(out, fold)
	}
	return strings.Join(out, " | ")
}

func TestTokenize(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{" \t\r\n", ""},
		{"The talks, in 2025.", "the=The | talks | in | 2025"},
		{"snake_case _ __x", "snake_case | _ | __x"},
		{"1,000 3.5% $20bn 2025-08-15", "1 | 000 | 3 | 5 | 20bn | 2025 | 08 | 15"},
		{"U.S. U.S.A", "u=U | s=S | u=U | s=S | a=A"},
		{"Ⅷ x² ½", "ⅷ=Ⅷ | x² | ½"},
		{"a\x00b", "a | b"},

		// Apostrophes.
		{"don't DON’T", "don't | don't=DON’T"},
		{"'quoted' ‘quoted’", "quoted | quoted"},
		{"the leaders' plan, rock 'n' roll", "the | leaders | plan | rock | n | roll"},
		{"o''clock o'’clock '", "o | clock | o | clock"},
		{"l'été d’Élise", "l'été | d'élise=d’Élise"},
		{"a'_b '1", "a'_b | 1"},
		{"x'平 x’平", "x | 平 | x | 平"},

		// "!" and "?".
		{"Really?! No!", "really=Really | ?(mark) | !(mark) | no=No | !(mark)"},
		{"¿qué? ¡no!", "qué | ?(mark) | no | !(mark)"},

		// Mentions, hashtags and e-mail addresses.
		{"@Desk says #Summit2025", "@desk=@Desk(tag) | says | #summit2025=#Summit2025(tag)"},
		{"##peace @@x #@y", "#peace(tag) | @x(tag) | @y(tag)"},
		{"# @ #! a# b@", "!(mark) | a | b"},
		{"jane.doe@example.org", "jane | doe | example | org"},
		{"a#b a@b", "a | b | a | b"},
		{"wow!#peace ok?@desk", "wow | !(mark) | #peace(tag) | ok | ?(mark) | @desk(tag)"},
		{"#don't @o’neil", "#don't(tag) | @o'neil=@o’neil(tag)"},
		{"#Київ", "#київ=#Київ(tag)"},
		{"#平和", "平 | 和"},
		{"#\u0301a", "a"},

		// URLs.
		{"see https://example.com/a?b=1#c.", "see | ://=https://example.com/a?b=1#c(mark)"},
		{"HTTP://X.Y/, Https://z", "://=HTTP://X.Y/(mark) | ://=Https://z(mark)"},
		{"(www.example.com)", "://=www.example.com(mark)"},
		{`"http://x.y">`, "://=http://x.y(mark)"},
		{"“http://x.y/it’s”!", "://=http://x.y/it’s(mark) | !(mark)"},
		{"http://x.y!?", "://=http://x.y(mark) | !(mark) | ?(mark)"},
		{"http https http: http://", "http | https | http | http"},
		{"www www. http://... www.)", "www | www | http | www"},
		{"xhttp://y.z wwww.x", "xhttp | y | z | wwww | x"},
		{"http://example.com\u00a0x", "://=http://example.com(mark) | x"},

		// Soft hyphens.
		{"co\u00adoperate", "cooperate=co\u00adoperate"},
		{"\u00adco\u00ad operate", "co | operate"},
		{"co\u00ad\u00adop", "co | op"},

		// Accents: one character or two, capital or small.
		{"É E\u0301 é e\u0301", "é=É | é=E\u0301 | é | é=e\u0301"},
		{"J\u030c \u01f0 j\u030c", "\u01f0=J\u030c | \u01f0 | \u01f0=j\u030c"},
		{"\u212bngstr\u00f6m A\u030angstro\u0308m", "ångström=\u212bngstr\u00f6m | ångström=A\u030angstro\u0308m"},
		{"\u212a \u2126", "k=\u212a | ω=\u2126"},
		{"ệ e\u0323\u0302 e\u0302\u0323", "ệ | ệ=e\u0323\u0302 | ệ=e\u0302\u0323"},
		{"\u0301 \u0301a \u20e3", "a"},
		{"a\u0338b \u2260b =\u0338b", "a\u0338b | b | b"},

		// Letters whose case is special.
		{"Straße STRASSE ẞ", "straße=Straße | strasse=STRASSE | ß=ẞ"},
		{"İ I\u0307 ı I", "i\u0307=İ | i\u0307=I\u0307 | ı | i=I"},
		{"ΟΔΟΣ οδος", "οδοσ=ΟΔΟΣ | οδος"},
		{"ǅ Ǆ", "ǆ=ǅ | ǆ=Ǆ"},

		// Other scripts.
		{"Київ, МОСКВА", "київ=Київ | москва=МОСКВА"},
		{"й и\u0306", "й | й=и\u0306"},
		{"会談はアラスカで。", "会 | 談 | は | アラスカ | で"},
		{"がか\u3099カ\u3099", "が | が=か\u3099 | ガ=カ\u3099"},
		{"x会y", "x | 会 | y"},
		{"\uf900", "\u8c48=\uf900"}, // a compatibility ideograph
		{"정상회담이 \u1112\u1161\u11ab", "정상회담이 | 한=\u1112\u1161\u11ab"},
		{"การประชุม", "การประชุม"},
		{"שָׁלוֹם عليكم", "שָׁלוֹם | عليكم"},

		// Emoji are no words; neither are the marks and joiners in them.
		{"a 👍🏽 👨‍👩‍👧 ❤️ b", "a | b"},
		{"🇺🇦x", "x"},

		// Not UTF-8.
		{"caf\xe9 \xff\xfe x\xc3", "caf | x"},
		{"\xe4\xbc", ""},
		{"a\ufffdb", "a | b"},
	} {
		if got := show(c.text); got != c.want {
			t.Errorf("%+q:\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestTokenizeLongText(t *testing.T) {
	for _, c := range []struct {
		name, text string
		tokens     int
		folded     int
	}{
		{"letters", strings.Repeat("x", 1<<20), 1, 0},
		{"Cyrillic", strings.Repeat("Ж", 1<<19), 1, 1 << 20},
		{"Han", strings.Repeat("平", 1<<18), 1 << 18, 3 << 18},
		{"exclamations", strings.Repeat("!", 1<<20), 1 << 20, 1 << 20},
		{"a URL", "http://" + strings.Repeat("x", 1<<20), 1, 3},
		{"marks on a letter", "a" + strings.Repeat("\u0323", 1<<18), 1, -1},
		{"invalid bytes", strings.Repeat("\xff", 1<<20), 0, 0},
		{"trailing punctuation", "www." + strings.Repeat(".", 1<<20), 1, 0},
	} {
		var k tokenizer
		k.tokenize(c.text)
		if len(k.tokens) != c.tokens || c.folded >= 0 && len(k.folded) != c.folded {
			t.Errorf("%s: %d tokens of %d bytes, want %d of %d", c.name, len(k.tokens), len(k.folded), c.tokens, c.folded)
		}
	}
}

// Every character that has a case, a decomposition or is a mark, alone and
// among letters, reads the same however it is composed, and its folding is
// final.
func TestEveryCharacterFolds(t *testing.T) {
	var k tokenizer
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.ToLower(r) == r && !unicode.IsMark(r) && norm.NFD.IsNormalString(string(r)) {
			continue
		}
		for _, text := range [...]string{string(r), "a" + string(r) + "b", "I" + string(r) + "\u0307", "か" + string(r)} {
			want := folds(&k, text)
			for _, form := range [...]norm.Form{norm.NFC, norm.NFD} {
				if got := folds(&k, form.String(text)); !slices.Equal(got, want) {
					t.Errorf("%+q in form %d: %+q, want %+q", text, form, got, want)
				}
			}
			if got := folds(&k, strings.Join(want, " ")); !slices.Equal(got, want) {
				t.Errorf("%+q: folded again %+q, want %+q", text, got, want)
			}
		}
	}
}

// What a byte is does not depend on where among the 8 or 64 that are read at once
// it stands.
func TestEveryByteAtEveryPlace(t *testing.T) {
	for c := range 256 {
		for at := range 2*foldBlock + 2 {
			for _, around := range [...]string{" ", "x", "'", "É"} {
				if err := checkFolding(strings.Repeat(around, at) + string([]byte{byte(c)}) + around); err != nil {
					t.Fatalf("%#x at %d among %q: %v", c, at, around, err)
				}
			}
		}
	}
}

// checkFolding returns an error when the tokens of text are not those that come
// of reading it byte by byte.
func checkFolding(text string) error {
	var fast, slow tokenizer
	got := folds(&fast, text)
	slow.text = text
	slow.fold(text)
	for i := range len(text) {
		if want := unicode.ToLower(rune(text[i])); text[i] < utf8.RuneSelf && rune(slow.low[i]) != want || text[i] >= utf8.RuneSelf && slow.low[i] != text[i] {
			return fmt.Errorf("byte %d is folded to %q", i, slow.low[i])
		}
		quoted := text[i] == '\'' && i > 0 && i+1 < len(text) && isWordByte(text[i-1]) && isWordByte(text[i+1])
		if want := isWordByte(text[i]) || quoted; slow.plain(i, i+1) != want {
			return fmt.Errorf("byte %d is part of a word: %v", i, !want)
		}
	}
	slow.run(0, len(text))
	var want []string
	for i := range slow.tokens {
		want = append(want, string(slow.foldedToken(&slow.tokens[i])))
		if fast, slow := fast.tokens[min(i, len(fast.tokens)-1)], slow.tokens[i]; fast.start != slow.start || fast.end != slow.end || fast.state != slow.state || fast.word != slow.word || fast.wordlike != slow.wordlike {
			return fmt.Errorf("token %d is %+v, want %+v", i, fast, slow)
		}
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("tokens %q, want %q", got, want)
	}
	return nil
}

// checkTokens returns an error when the tokens of text break a promise.
func checkTokens(text string) error {
	if err := checkFolding(text); err != nil {
		return err
	}
	var k tokenizer
	want := folds(&k, text)
	last := 0
	for i, token := range k.tokens {
		start, end := int(token.start), int(token.end)
		if start < last || end <= start || end > len(text) {
			return fmt.Errorf("token %d is [%d:%d] after [:%d] of %d bytes", i, start, end, last, len(text))
		}
		if !utf8.RuneStart(text[start]) && utf8.ValidString(text) || end < len(text) && !utf8.RuneStart(text[end]) && utf8.ValidString(text) {
			return fmt.Errorf("token %d [%d:%d] cuts a character", i, start, end)
		}
		if want[i] == "" {
			return fmt.Errorf("token %d %+q folds to nothing", i, text[start:end])
		}
		if token.word && !token.wordlike {
			return fmt.Errorf("token %d %+q is a word but not wordlike", i, want[i])
		}
		last = end
	}

	// Folding is final: the folded tokens, put together with spaces, are the
	// same tokens again. URLs are not among them, as they fold to "://".
	var again []string
	for _, fold := range want {
		if fold != "://" {
			again = append(again, fold)
		}
	}
	if got := folds(&k, strings.Join(again, " ")); !slices.Equal(got, again) {
		return fmt.Errorf("folded again %+q, want %+q", got, again)
	}

	// x/text puts a joiner into runs of more than 30 marks, so that these are
	// other texts; and it composes across bytes that are not UTF-8.
	if !utf8.ValidString(text) || longMarks(text) {
		return nil
	}
	for _, form := range [...]norm.Form{norm.NFC, norm.NFD} {
		if got := folds(&k, form.String(text)); !slices.Equal(got, want) {
			return fmt.Errorf("form %d of the text: %+q, want %+q", form, got, want)
		}
	}
	return nil
}

// longMarks reports whether text may have more than 30 marks in a row once it
// is decomposed.
func longMarks(text string) bool {
	run := 0
	for _, r := range norm.NFD.String(text) {
		if run++; !unicode.IsMark(r) {
			run = 0
		}
		if run >= 25 {
			return true
		}
	}
	return false
}

func FuzzTokenize(f *testing.F) {
	for _, text := range selfTestTexts {
		f.Add(text)
	}
	for _, text := range paragraphs(f) {
		f.Add(text)
	}
	f.Add("#a@b ##c d'e’f\u00adg I\u0307 か\u3099 a\u0338 =\u0338 \xff\xc3 http://x.) www.y! ΟΔΟΣ \u1112\u1161\u11ab")
	f.Fuzz(func(t *testing.T, text string) {
		if err := checkTokens(text); err != nil {
			t.Errorf("%+q: %v", text, err)
		}
	})
}
