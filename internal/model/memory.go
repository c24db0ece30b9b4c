package model

import "unsafe"

// MemoryBytes is how much memory the model holds: the file, and the indexes that
// are made from it. The scratch memory of classifiers is not counted.
func (m *Model) MemoryBytes() int64 {
	n := int64(cap(m.data)) + 4*int64(cap(m.ends)) + m.tableBytes(&m.table)
	for i := range m.targets {
		n += m.tableBytes(&m.targets[i])
	}
	return n
}

// tableBytes is what t holds outside of the file.
func (m *Model) tableBytes(t *table) int64 {
	n := 4 * int64(cap(t.slots))
	if !m.inFile(t.cells) {
		n += 8 * int64(cap(t.cells))
	}
	return n
}

// inFile reports whether cells are bytes of the file, which depends on the
// machine and on where the file came to lie.
func (m *Model) inFile(cells []uint64) bool {
	first := uintptr(unsafe.Pointer(unsafe.SliceData(cells)))
	file := uintptr(unsafe.Pointer(unsafe.SliceData(m.data)))
	return file <= first && first < file+uintptr(len(m.data))
}
