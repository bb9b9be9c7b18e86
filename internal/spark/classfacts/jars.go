package main

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/meseta/meseta/internal/spark/serial"
)

// jars finds classes in archives; the first that has one wins.
type jars struct {
	open  []*zip.ReadCloser
	class map[string]*classFile // by name with dots
}

func openJars(paths []string) (*jars, error) {
	j := &jars{class: make(map[string]*classFile)}
	for _, path := range paths {
		r, err := zip.OpenReader(path)
		if err != nil {
			j.close()
			return nil, fmt.Errorf("jar %s: %w", path, err)
		}
		j.open = append(j.open, r)
	}
	return j, nil
}

func (j *jars) close() {
	for _, r := range j.open {
		r.Close()
	}
}

// find parses a class. Modules of the JDK keep theirs below classes/.
func (j *jars) find(name string) (*classFile, error) {
	if c, ok := j.class[name]; ok {
		return c, nil
	}
	path := strings.ReplaceAll(name, ".", "/") + ".class"
	for _, r := range j.open {
		for _, prefix := range []string{"", "classes/"} {
			f, err := r.Open(prefix + path)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			b, err := io.ReadAll(f)
			f.Close()
			if err != nil {
				return nil, err
			}
			c, err := parseClass(b)
			if err != nil {
				return nil, fmt.Errorf("class %s: %w", name, err)
			}
			j.class[name] = c
			return c, nil
		}
	}
	return nil, fmt.Errorf("class %s is in none of the jars", name)
}

// implements tells whether a class has an interface, itself or by inheritance.
func (j *jars) implements(name, iface string) (bool, error) {
	if name == iface {
		return true, nil
	}
	if name == "" || name == "java.lang.Object" {
		return false, nil
	}
	c, err := j.find(name)
	if err != nil {
		return false, err
	}
	for _, up := range append([]string{c.super}, c.interfaces...) {
		if yes, err := j.implements(up, iface); yes || err != nil {
			return yes, err
		}
	}
	return false, nil
}

// desc describes a class and its serializable superclasses, as a JVM would in a stream.
func (j *jars) desc(name string, made map[string]*serial.ClassDesc) (*serial.ClassDesc, error) {
	if d, ok := made[name]; ok {
		return d, nil
	}
	c, err := j.find(name)
	if err != nil {
		return nil, err
	}
	d := &serial.ClassDesc{Name: name}
	serializable, err := j.implements(name, "java.io.Serializable")
	if err != nil {
		return nil, err
	}
	external, err := j.implements(name, "java.io.Externalizable")
	if err != nil {
		return nil, err
	}
	switch {
	case c.super == "java.lang.Enum" || name == "java.lang.Enum":
		d.Flags = serial.Serializable | serial.EnumClass
	case external:
		d.Flags = serial.Externalizable | serial.BlockData
		d.UID, err = c.uid()
	case serializable:
		d.Flags = serial.Serializable
		if c.hasWriteObject() {
			d.Flags |= serial.WriteMethod
		}
		if d.UID, err = c.uid(); err == nil {
			d.Fields, err = c.serialFields()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("class %s: %w", name, err)
	}
	made[name] = d
	for up := c.super; up != "" && d.Flags != 0; {
		yes, err := j.implements(up, "java.io.Serializable")
		if err != nil {
			return nil, err
		}
		if yes {
			d.Super, err = j.desc(up, made)
			return d, err
		}
		if up == "java.lang.Object" {
			break
		}
		next, err := j.find(up)
		if err != nil {
			return nil, err
		}
		up = next.super
	}
	return d, nil
}
