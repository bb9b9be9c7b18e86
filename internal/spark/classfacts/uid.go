package main

import (
	"cmp"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"github.com/meseta/meseta/internal/spark/serial"
)

// uid is the serialVersionUID that the class declares, or else the one that a JVM computes.
func (c *classFile) uid() (int64, error) {
	uid, declared, err := c.declaredUID()
	if declared || err != nil {
		return uid, err
	}
	h := sha1.Sum(c.identity())
	return int64(binary.LittleEndian.Uint64(h[:8])), nil
}

// identity is what a computed serialVersionUID is the hash of: the class as others may depend on it.
func (c *classFile) identity() []byte {
	var b []byte
	text := func(s string) {
		b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
		b = append(b, s...)
	}
	number := func(n uint16) { b = binary.BigEndian.AppendUint32(b, uint32(n)) }
	declare := func(name string, modifiers uint16, descriptor string) {
		text(name)
		number(modifiers)
		text(descriptor)
	}

	text(c.name)
	number(c.identityModifiers())
	for _, name := range slices.Sorted(slices.Values(c.interfaces)) {
		text(name)
	}
	for _, f := range sorted(c.fields) {
		mods := f.modifiers & (accPublic | accPrivate | accProtected | accStatic | accFinal | accVolatile | accTransient)
		if mods&accPrivate == 0 || mods&(accStatic|accTransient) == 0 {
			declare(f.name, mods, f.descriptor)
		}
	}
	for _, m := range sorted(c.methods) {
		mods := m.modifiers & (accPublic | accPrivate | accProtected | accStatic | accFinal | accSynchronized | accNative | accAbstract | accStrict)
		switch {
		case m.name == "<clinit>":
			declare(m.name, accStatic, "()V")
		case mods&accPrivate == 0:
			declare(m.name, mods, strings.ReplaceAll(m.descriptor, "/", "."))
		}
	}
	return b
}

func (c *classFile) identityModifiers() uint16 {
	mods := c.modifiers & (accPublic | accFinal | accInterface | accAbstract)
	if mods&accInterface != 0 {
		mods &^= accAbstract
		if len(c.methods) > 0 {
			mods |= accAbstract
		}
	}
	return mods
}

// sorted orders members by name and descriptor, with the class's initializer and its constructors before
// everything else.
func sorted(members []member) []member {
	return slices.SortedFunc(slices.Values(members), func(a, b member) int {
		first := func(m member) int {
			return slices.Index([]string{"<init>", "<clinit>"}, m.name) // 0, 1, or -1 for the others
		}
		if fa, fb := first(a), first(b); fa != fb {
			return cmp.Compare(fb, fa)
		}
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.descriptor, b.descriptor))
	})
}

// serialFields lists the fields that default serialization writes: primitives first, each by name.
func (c *classFile) serialFields() ([]serial.Field, error) {
	var fields []serial.Field
	for _, f := range c.fields {
		if f.name == "serialPersistentFields" && f.modifiers&accStatic != 0 {
			return nil, errors.New("its serialPersistentFields are made by code, only running it can tell")
		}
		if f.modifiers&(accStatic|accTransient) != 0 {
			continue
		}
		field := serial.Field{Type: f.descriptor[0], Name: f.name}
		if !field.Primitive() {
			field.Signature = f.descriptor
		}
		fields = append(fields, field)
	}
	slices.SortFunc(fields, func(a, b serial.Field) int {
		if a.Primitive() != b.Primitive() {
			if a.Primitive() {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return fields, nil
}
