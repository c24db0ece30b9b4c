package bayesian

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// The part of gob (package encoding/gob) that these files are made of.
//
//	number   a uint: below 128 one byte; else minus the number of bytes, as a
//	         byte, and so many bytes, highest first: 706 is fe 02 c2
//	int      a uint: twice the number, or for negative ones twice its
//	         complement plus one: 9 is 12, -9 is 11
//	float    a uint: the float64's bits with the bytes in reverse: 1 is fe f0 3f
//	bool     a uint: 0 is false
//	string   a uint of bytes, then those
//	slice    a uint of elements, then those
//	map      a uint of entries, then key and element of each
//	struct   for each field that is not zero the distance from the last field's
//	         number, a uint, and its value; fields are numbered from 0 and the
//	         first distance counts from -1; a distance of 0 is the end
//	message  a uint of bytes; then an int: the id of a type, and a value of it;
//	         or minus the id of a type that is defined here, and a definition
//
// A definition is itself a struct, of which one field is present: 1 a slice, 2 a
// struct, 3 a map. Its first field holds a name and an id, which nobody needs;
// then come the ids of key and element, or the names and ids of fields. The
// types of a file are defined in messages before its only value.
//
// encoding/gob itself is not made for files that come from anywhere: it makes a
// map as large as the file claims before it reads an entry, and running out of
// memory cannot be recovered from; and it may count to 2^62 skipping a field
// whose elements take no bytes. To stop that, all sizes must be known
// beforehand, which takes a walk through all values: as much as reading them.
// Here every element takes a byte at least, and no number of elements may exceed
// the bytes left. The tests hold this reader to encoding/gob.

// A stream reads values from the front of rest. Its first error sticks: from
// then on it returns zeros.
type stream struct {
	rest string
	err  error
}

// fail records an error, if it is the first.
func (s *stream) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

var errEnds = errors.New("it ends too early")

// take returns the next n bytes: all access to the file goes through it.
func (s *stream) take(n uint64) string {
	if s.err == nil && n > uint64(len(s.rest)) {
		s.err = errEnds
	}
	if s.err != nil {
		return ""
	}
	taken := s.rest[:n]
	s.rest = s.rest[n:]
	return taken
}

func (s *stream) uint() uint64 {
	first := s.take(1)
	if first == "" || first[0] < 0x80 {
		return s.bigEndian(first)
	}
	size := -int(int8(first[0]))
	if size > 8 {
		s.fail("a number of %d bytes: want at most 8", size)
	}
	return s.bigEndian(s.take(uint64(size)))
}

func (s *stream) bigEndian(digits string) (x uint64) {
	for i := range len(digits) {
		x = x<<8 | uint64(digits[i])
	}
	return x
}

func (s *stream) int() int64 {
	x := s.uint()
	if x&1 != 0 {
		return ^int64(x >> 1)
	}
	return int64(x >> 1)
}

func (s *stream) bool() bool { return s.uint() != 0 }

func (s *stream) float() float64 { return math.Float64frombits(bits.ReverseBytes64(s.uint())) }

// text returns a string of at most limit bytes.
func (s *stream) text(what string, limit int) string {
	n := s.uint()
	if n > uint64(limit) {
		s.fail("%s of %d bytes: want at most %d", what, n, limit)
	}
	return s.take(n)
}

// count returns a number of elements, each of which takes least bytes or more.
func (s *stream) count(what string, least int) int {
	n := s.uint()
	if n > uint64(len(s.rest)/least) {
		s.fail("%d %s in %d bytes", n, what, len(s.rest))
	}
	if s.err != nil {
		return 0
	}
	return int(n)
}

// field moves number on to the next field that is present, in a struct of so
// many fields. It returns false at the struct's end. It begins with -1.
func (s *stream) field(number *int, fields int) bool {
	distance := s.uint()
	if distance > uint64(fields-1-*number) {
		s.fail("a field beyond the last of %d", fields)
	}
	if s.err != nil || distance == 0 {
		return false
	}
	*number += int(distance)
	return true
}

// message returns the next message.
func (s *stream) message() stream {
	body := s.take(s.uint())
	return stream{rest: body, err: s.err}
}

// A typeID names a type: those below firstDefined are built in.
type typeID int64

const (
	boolType     typeID = 1
	intType      typeID = 2
	floatType    typeID = 4
	stringType   typeID = 6
	firstDefined typeID = 64
)

// A definition is a type that a file defines.
type definition struct {
	kind      kind
	key, elem typeID        // of a map; elem alone of a slice
	fields    []structField // of a struct
}

type structField struct {
	name string
	typ  typeID
}

// A kind is a field of the struct in which a type is defined.
type kind int

const (
	sliceKind   kind = 1
	structKind  kind = 2
	mapKind     kind = 3
	kindsOfType      = 7 // the others: arrays, and types with their own encoding
)

const (
	maxTypes     = 64   // a file of the library has 6
	maxFields    = 64   // of a struct; the library's have 6 and 3
	maxNameBytes = 1024 // of the name of a type or field
)

type types map[typeID]definition

// firstValue reads up to the first value. It returns the types that were
// defined, the value's own, and a stream of the value.
func (s *stream) firstValue() (types, typeID, stream) {
	defined := types{}
	for {
		m := s.message()
		id := typeID(m.int())
		if m.err != nil || id >= 0 {
			return defined, id, m
		}
		m.define(defined, -id)
		if m.err != nil {
			return nil, 0, m
		}
	}
}

// define reads a definition, which must be all of the message.
func (s *stream) define(defined types, id typeID) {
	d := s.definition()
	_, again := defined[id]
	switch {
	case id < firstDefined || again:
		s.fail("type %d is defined twice", id)
	case len(defined) == maxTypes:
		s.fail("more than %d types", maxTypes)
	case s.rest != "":
		s.fail("%d bytes after the definition of a type", len(s.rest))
	}
	defined[id] = d
}

func (s *stream) definition() (d definition) {
	which := -1
	s.field(&which, kindsOfType)
	d.kind = kind(which)
	switch d.kind {
	case sliceKind:
		s.typeFields(&d.elem)
	case mapKind:
		s.typeFields(&d.key, &d.elem)
	case structKind:
		d.fields = s.structFields()
	default:
		s.fail("a type that is no slice, map or struct")
	}
	if s.field(&which, kindsOfType) {
		s.fail("a type of two kinds")
	}
	return d
}

// typeFields reads a struct of a name and the ids of types.
func (s *stream) typeFields(ids ...*typeID) {
	for f := -1; s.field(&f, 1+len(ids)); {
		if f == 0 {
			s.nameAndID()
		} else {
			*ids[f-1] = typeID(s.int())
		}
	}
}

// structFields reads a struct of a name and a slice of fields.
func (s *stream) structFields() (fields []structField) {
	for f := -1; s.field(&f, 2); {
		if f == 0 {
			s.nameAndID()
			continue
		}
		n := s.count("fields", 1)
		if n > maxFields {
			s.fail("a struct of %d fields: want at most %d", n, maxFields)
		}
		for i := 0; i < n && s.err == nil; i++ {
			name, id := s.nameAndID()
			fields = append(fields, structField{name, id})
		}
	}
	return fields
}

func (s *stream) nameAndID() (name string, id typeID) {
	for f := -1; s.field(&f, 2); {
		if f == 0 {
			name = s.text("a name", maxNameBytes)
		} else {
			id = typeID(s.int())
		}
	}
	return name, id
}

// name writes a type as in Go, its structs as "struct" and what is nested
// deeper than depth as "...".
func (t types) name(id typeID, depth int) string {
	switch id {
	case boolType:
		return "bool"
	case intType:
		return "int"
	case floatType:
		return "float64"
	case stringType:
		return "string"
	}
	d := t[id]
	switch {
	case depth == 0:
		return "..."
	case d.kind == sliceKind:
		return "[]" + t.name(d.elem, depth-1)
	case d.kind == mapKind:
		return "map[" + t.name(d.key, depth-1) + "]" + t.name(d.elem, depth-1)
	case d.kind == structKind:
		return "struct"
	}
	return fmt.Sprintf("type %d", id)
}
