package model

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"unsafe"
)

// A table holds the weights of features, as in the file: a row each, ascending
// by id, and an index to the rows.
type table struct {
	layout
	cells []uint64 // rows side by side
	rows  int

	// The index parts the ids into ranges of equal length: they are hashes, so that
	// each has about as many rows. Range after range, a bucket.
	buckets []bucket
}

// A bucket says where the rows of a range begin, and holds a mark of each of the
// first eight: the lowest byte of its id, 1 for 0. So an id that has no row is known
// not to have one without a look at the rows, and of one that has only that row is
// read. A million rows have buckets of 4.6 MB.
type bucket struct {
	marks uint64 // the first lowest
	start uint64 // the first row; the highest bit says that there may be rows beyond the marks
}

const (
	bucketRows  = 3.5 // on average
	bucketMarks = 8
	manyRows    = 1 << 63
)

// markOf is the mark of an id.
func markOf(id FeatureID) uint64 {
	mark := uint64(byte(id))
	return mark + (mark-1)>>63
}

// bucketOf is the bucket of an id, of so many.
func bucketOf(id FeatureID, buckets int) uint64 {
	hi, _ := bits.Mul64(uint64(id), uint64(buckets))
	return hi
}

// A layout says what the cells of a row hold: the id, then the weights, four a
// cell. The weights of blocks with equal value functions lie together, those of
// the first head first, so that one pass over the hits sums them for all heads;
// each such group starts a cell.
type layout struct {
	stride int       // cells of a row
	groups []group   // by value function
	first  [][]int   // per head and block: the column of its first label; -1 without one
	idf    int       // the column of the IDF; 0 without
	pads   []cellPad // of every row
}

// A group is the blocks of a value function.
type group struct {
	value Value
	cell  int // of a row, where it starts
	cells int
}

// A cellPad is the part of a cell that must be 0.
type cellPad struct {
	cell int
	mask uint64
}

// Columns are numbered from the start of a row; the id takes the first four.
const (
	lanes    = 4  // columns of a cell
	laneBits = 16 // of a cell
)

// newLayout lays out the blocks of heads for which has holds, and IDFs when
// weighted.
func newLayout(heads []Head, weighted bool, has func(Block) bool) layout {
	l := layout{first: make([][]int, len(heads))}
	for h := range heads {
		l.first[h] = make([]int, len(heads[h].Blocks))
		for b := range l.first[h] {
			l.first[h][b] = -1
		}
	}
	column := lanes
	for v := range Value(values) {
		start := column
		for h := range heads {
			for b, block := range heads[h].Blocks {
				if block.Value == v && has(block) {
					l.first[h][b] = column
					column += len(heads[h].Labels)
				}
			}
		}
		if column == start {
			continue
		}
		if weighted && v == TFIDF { // the last group
			l.idf = column
			column++
		}
		if rest := column % lanes; rest != 0 {
			l.pads = append(l.pads, cellPad{column / lanes, ^uint64(0) << (rest * laneBits)})
			column += lanes - rest
		}
		l.groups = append(l.groups, group{v, start / lanes, (column - start) / lanes})
	}
	l.stride = column / lanes
	return l
}

// maxBucket bounds how many rows a bucket has, and so how long a look-up may
// take. Hashes stay far below it; a file whose ids were made to fall into one
// bucket is refused.
const maxBucket = 512

// newTable verifies rows and indexes them.
func newTable(l layout, cells []uint64) (table, error) {
	t := table{layout: l, cells: cells, rows: len(cells) / l.stride}
	n := int(float64(t.rows)/bucketRows) + 1
	t.buckets = make([]bucket, n+1) // the last ends the one before
	last, at := uint64(0), uint64(0)
	for i := range t.rows {
		row := cells[i*l.stride:][:l.stride]
		id := row[0]
		if id <= last {
			return table{}, fmt.Errorf("feature %d: ids are not in ascending order", i)
		}
		for _, p := range l.pads {
			if row[p.cell]&p.mask != 0 {
				return table{}, fmt.Errorf("feature %d: padding is not 0", i)
			}
		}
		if l.idf > 0 && t.lane(i, l.idf) == 0 {
			return table{}, fmt.Errorf("feature %d: inverse document frequency 0", i)
		}
		for place := bucketOf(FeatureID(id), n); at < place; {
			at++
			t.buckets[at].start = uint64(i)
		}
		if err := t.buckets[at].mark(i, FeatureID(id)); err != nil {
			return table{}, err
		}
		last = id
	}
	for at < uint64(n) {
		at++
		t.buckets[at].start = uint64(t.rows)
	}
	return t, nil
}

// mark takes in the next row.
func (b *bucket) mark(row int, id FeatureID) error {
	switch n := row - int(b.first()); {
	case n < bucketMarks:
		b.marks |= markOf(id) << (8 * n)
	case n < maxBucket:
		b.start |= manyRows
	default:
		return fmt.Errorf("feature ids are not hashes: more than %d share a place", maxBucket)
	}
	return nil
}

// first is the first row.
func (b *bucket) first() uint32 { return uint32(b.start) }

// unknown is the row of features that a table does not know.
const unknown = 1<<32 - 1

// A found is an id that has a row.
type found struct{ at, row uint32 } // position among those looked up, and row

// find returns those of ids that have rows, in buf.
//
// Whether an id has a row no processor can guess: so the first loop writes what
// it finds in any case, and goes on to the next place if that was a row. It hardly
// branches on what it reads, nor does the second, so that the processor goes on to
// the next ids while memory is slow.
func (t *table) find(buf []found, ids []FeatureID) []found {
	buf = slices.Grow(buf[:0], len(ids))[:len(ids)]
	n := 0
	buckets := t.buckets
	for i, id := range ids {
		b := &buckets[bucketOf(id, len(buckets)-1)]
		match := zeros(b.marks ^ markOf(id)*lowBits)
		buf[n] = found{uint32(i), b.first() + uint32(bits.TrailingZeros64(match))/8}
		step := 0
		if match != 0 {
			step = 1
		}
		if int64(b.start) < 0 && match == 0 {
			if row := t.row(id); row != unknown {
				buf[n].row, step = row, 1
			}
		}
		n += step
	}
	return t.verify(buf[:n], ids)
}

// verify looks again for those whose row is of another id with the same mark.
func (t *table) verify(list []found, ids []FeatureID) []found {
	n := 0
	for _, f := range list {
		if id := ids[f.at]; t.id(f.row) != id {
			if f.row = t.row(id); f.row == unknown {
				continue
			}
		}
		list[n] = f
		n++
	}
	return list[:n]
}

// zeros sets the highest bit of the first byte of x that is 0, and of no byte
// before it.
func zeros(x uint64) uint64 { return (x - lowBits) &^ x & highBits }

// row returns the row of a feature, or unknown.
func (t *table) row(id FeatureID) uint32 {
	two := t.buckets[bucketOf(id, len(t.buckets)-1):][:2]
	for row := two[0].first(); row < two[1].first(); row++ {
		if t.id(row) == id {
			return row
		}
	}
	return unknown
}

// id returns the feature of a row.
func (t *table) id(row uint32) FeatureID { return FeatureID(t.cells[int(row)*t.stride]) }

// lane returns a column of a row.
func (t *table) lane(row, column int) uint16 {
	return uint16(t.cells[row*t.stride+column/lanes] >> (column % lanes * laneBits))
}

// weight returns the weight of a row in a column.
func (t *table) weight(row uint32, column int) int64 { return int64(int16(t.lane(int(row), column))) }

// idfOf returns the IDF of a row, 0 without.
func (t *table) idfOf(row uint32) uint16 {
	if t.idf == 0 {
		return 0
	}
	return t.lane(int(row), t.idf)
}

// Weights are summed with 2^15 added to each, two in a word: none is then below
// 0, and sums stay in their half of the word as long as the values that they
// were multiplied by add up to no more than maxLoad.
const (
	signs   = 0x8000_8000_8000_8000
	evens   = 0x0000_ffff_0000_ffff
	maxLoad = 1<<16 - 1
)

// sum adds up the weights of a group, each row's times its value, and writes
// the sums per column to sums. values nil are 1. Exactly, for sums within an
// int64. Four columns take two multiplications; one by one they took four, and
// half again the time.
func (t *table) sum(sums []int64, words []uint64, g group, rows []uint32, values []int32) {
	clear(sums[:g.cells*lanes])
	if values == nil {
		for len(rows) > 0 {
			n := min(len(rows), maxLoad)
			t.count(words[:2*g.cells], g, rows[:n])
			unload(sums, words[:2*g.cells], int64(n))
			rows = rows[n:]
		}
		return
	}
	load := int64(0)
	words = words[:2*g.cells]
	clear(words)
	for i, row := range rows {
		value := int64(values[i])
		if value > maxLoad {
			t.addLarge(sums, g, row, value)
			continue
		}
		if load += value; load > maxLoad {
			unload(sums, words, load-value)
			clear(words)
			load = value
		}
		x := uint64(value)
		cells := t.cells[int(row)*t.stride+g.cell:][:g.cells]
		for k, cell := range cells {
			cell ^= signs
			two := words[2*k:][:2]
			two[0] += (cell & evens) * x
			two[1] += (cell >> laneBits & evens) * x
		}
	}
	unload(sums, words, load)
}

// count sums up rows whose values are 1, at most maxLoad of them.
func (t *table) count(words []uint64, g group, rows []uint32) {
	for k := range g.cells {
		even, odd := uint64(0), uint64(0)
		for _, row := range rows {
			cell := t.cells[int(row)*t.stride+g.cell+k] ^ signs
			even += cell & evens
			odd += cell >> laneBits & evens
		}
		words[2*k], words[2*k+1] = even, odd
	}
}

// unload adds words to sums; load is what the values add up to.
func unload(sums []int64, words []uint64, load int64) {
	for k := 0; k < len(words); k += 2 {
		of, even, odd := sums[2*k:][:lanes], words[k], words[k+1]
		of[0] += int64(uint32(even)) - load<<15
		of[1] += int64(uint32(odd)) - load<<15
		of[2] += int64(even>>32) - load<<15
		of[3] += int64(odd>>32) - load<<15
	}
}

// addLarge adds a row times a value that is too large for half a word.
func (t *table) addLarge(sums []int64, g group, row uint32, value int64) {
	for c := range g.cells * lanes {
		sums[c] += value * t.weight(row, g.cell*lanes+c)
	}
}

// toCells returns bytes as little-endian words: the same memory where the
// processor allows, which is what makes loading a file one read.
func toCells(b []byte) []uint64 {
	if len(b) == 0 {
		return nil
	}
	if nativeLittle && uintptr(unsafe.Pointer(&b[0]))%8 == 0 {
		return unsafe.Slice((*uint64)(unsafe.Pointer(&b[0])), len(b)/8)
	}
	cells := make([]uint64, len(b)/8)
	for i := range cells {
		cells[i] = le.Uint64(b[8*i:])
	}
	return cells
}

var nativeLittle = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// targetLayout lays out the target rows of a single head.
func targetLayout(head []Head) layout {
	return newLayout(head, false, func(b Block) bool { return b.Targets })
}

// append appends a table to a file. ids, weights and idf are those of a Spec.
func (l *layout) append(b []byte, heads []Head, ids []FeatureID, weights []int16, idf []uint16) []byte {
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	b = le.AppendUint64(b, uint64(len(ids)))
	b = slices.Grow(b, 8*l.stride*len(ids))
	row := make([]uint64, l.stride)
	for i, id := range ids {
		clear(row)
		row[0] = uint64(id)
		weights = l.fill(row, heads, weights)
		if l.idf > 0 {
			setLane(row, l.idf, idf[i])
		}
		for _, cell := range row {
			b = le.AppendUint64(b, cell)
		}
	}
	return b
}

// fill writes the first weights to row and returns the others.
func (l *layout) fill(row []uint64, heads []Head, weights []int16) []int16 {
	for h := range l.first {
		n := len(heads[h].Labels)
		for _, column := range l.first[h] {
			if column < 0 {
				continue
			}
			for i, w := range weights[:n] {
				setLane(row, column+i, uint16(w))
			}
			weights = weights[n:]
		}
	}
	return weights
}

func setLane(row []uint64, column int, value uint16) {
	row[column/lanes] |= uint64(value) << (column % lanes * laneBits)
}
