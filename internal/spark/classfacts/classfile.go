package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// classFile is what matters of a class file: its declarations, no code.
type classFile struct {
	name       string // with dots, as all names here
	modifiers  uint16 // what Class.getModifiers says: of a member class those of its declaration
	super      string
	interfaces []string
	fields     []member
	methods    []member
}

// member is a field or a method.
type member struct {
	modifiers  uint16
	name       string
	descriptor string // with slashes, as in the file
	constant   *int64 // of a static long with a constant value
}

// Modifiers, as in the class file format.
const (
	accPublic       = 0x0001
	accPrivate      = 0x0002
	accProtected    = 0x0004
	accStatic       = 0x0008
	accFinal        = 0x0010
	accSynchronized = 0x0020
	accVolatile     = 0x0040
	accTransient    = 0x0080
	accNative       = 0x0100
	accInterface    = 0x0200
	accAbstract     = 0x0400
	accStrict       = 0x0800
)

// reader takes big-endian numbers from a class file. An early end sticks as its error.
type reader struct {
	b   []byte
	err error
}

func (r *reader) bytes(n int) []byte {
	if r.err != nil || n > len(r.b) {
		r.err = io.ErrUnexpectedEOF
		return make([]byte, min(n, 8))
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) u1() int { return int(r.bytes(1)[0]) }
func (r *reader) u2() int { return int(binary.BigEndian.Uint16(r.bytes(2))) }
func (r *reader) u4() int { return int(binary.BigEndian.Uint32(r.bytes(4))) }

// constants is the constant pool: strings, references to strings, longs.
type constants struct {
	utf8  map[int]string
	class map[int]int
	long  map[int]int64
}

func (c constants) className(i int) string {
	return strings.ReplaceAll(c.utf8[c.class[i]], "/", ".")
}

func parseClass(b []byte) (*classFile, error) {
	r := &reader{b: b}
	if magic := r.u4(); magic != 0xCAFEBABE {
		return nil, fmt.Errorf("begins with %#08x, not as a class file", magic)
	}
	r.bytes(4) // version
	pool, err := parseConstants(r)
	if err != nil {
		return nil, err
	}
	c := &classFile{modifiers: uint16(r.u2())}
	c.name = pool.className(r.u2())
	c.super = pool.className(r.u2())
	for n := r.u2(); n > 0 && r.err == nil; n-- {
		c.interfaces = append(c.interfaces, pool.className(r.u2()))
	}
	c.fields = parseMembers(r, pool)
	c.methods = parseMembers(r, pool)
	attributes(r, pool, func(name string, r *reader) {
		if name == "InnerClasses" {
			c.memberModifiers(r, pool)
		}
	})
	return c, r.err
}

// The tags of the constant pool and their sizes; strings and longs are read, the rest skipped.
var constantSize = map[int]int{3: 4, 4: 4, 6: 8, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}

func parseConstants(r *reader) (constants, error) {
	pool := constants{make(map[int]string), make(map[int]int), make(map[int]int64)}
	n := r.u2()
	for i := 1; i < n && r.err == nil; i++ {
		switch tag := r.u1(); tag {
		case 1:
			pool.utf8[i] = string(r.bytes(r.u2()))
		case 5:
			pool.long[i] = int64(binary.BigEndian.Uint64(r.bytes(8)))
			i++ // longs take two entries
		case 7:
			pool.class[i] = r.u2()
		default:
			size, ok := constantSize[tag]
			if !ok {
				return pool, fmt.Errorf("constant %d has tag %d", i, tag)
			}
			r.bytes(size)
			if tag == 6 {
				i++
			}
		}
	}
	return pool, r.err
}

func parseMembers(r *reader, pool constants) []member {
	var all []member
	for n := r.u2(); n > 0 && r.err == nil; n-- {
		m := member{modifiers: uint16(r.u2())}
		m.name, m.descriptor = pool.utf8[r.u2()], pool.utf8[r.u2()]
		attributes(r, pool, func(name string, r *reader) {
			if name != "ConstantValue" {
				return
			}
			if v, ok := pool.long[r.u2()]; ok {
				m.constant = &v
			}
		})
		all = append(all, m)
	}
	return all
}

func attributes(r *reader, pool constants, each func(name string, r *reader)) {
	for n := r.u2(); n > 0 && r.err == nil; n-- {
		name := pool.utf8[r.u2()]
		each(name, &reader{b: r.bytes(r.u4())})
	}
}

// memberModifiers finds the modifiers that a member class was declared with: the file's own cannot say
// private, protected or static.
func (c *classFile) memberModifiers(r *reader, pool constants) {
	for n := r.u2(); n > 0 && r.err == nil; n-- {
		inner := pool.className(r.u2())
		r.bytes(4) // outer class and simple name
		if flags := uint16(r.u2()); inner == c.name {
			c.modifiers = flags
		}
	}
}

// declaredUID is the constant serialVersionUID, if there is one.
func (c *classFile) declaredUID() (uid int64, ok bool, err error) {
	for _, f := range c.fields {
		if f.name != "serialVersionUID" || f.modifiers&accStatic == 0 || f.modifiers&accFinal == 0 {
			continue
		}
		if f.constant == nil {
			return 0, false, errors.New("its serialVersionUID is not a constant, only running it can tell")
		}
		return *f.constant, true, nil
	}
	return 0, false, nil
}

func (c *classFile) hasWriteObject() bool {
	for _, m := range c.methods {
		if m.name == "writeObject" && m.descriptor == "(Ljava/io/ObjectOutputStream;)V" && m.modifiers&accPrivate != 0 && m.modifiers&accStatic == 0 {
			return true
		}
	}
	return false
}
