package protocol

import (
	"time"

	"github.com/meseta/meseta/internal/container"
)

// Hello is the first request of a connection.
type Hello struct{ Version uint64 }

// AppendHello appends a Hello.
func AppendHello(dst []byte, request uint64, h Hello) []byte {
	return AppendFrame(dst, KindHello, request, func(dst []byte) []byte {
		return appendUint(dst, 1, h.Version)
	})
}

// DecodeHello reads a Hello.
func DecodeHello(body []byte) (h Hello, err error) {
	err = decode(body, func(tag uint64, v value) error {
		if tag == 1 {
			h.Version = v.uint()
		}
		return nil
	})
	return h, err
}

// The tags of a Launch.
const (
	specID           = 1
	specArgv         = 2
	specEnv          = 3
	specDir          = 4
	specUser         = 5
	specStdout       = 6
	specStderr       = 7
	specNoNewPrivs   = 8
	specNamespaces   = 9
	specLimits       = 10
	specProgram      = 11
	specOutputCap    = 12
	specCapabilities = 13
	specBind         = 14
)

// AppendLaunch appends a Launch.
func AppendLaunch(dst []byte, request uint64, s *container.Spec) []byte {
	return AppendFrame(dst, KindLaunch, request, func(dst []byte) []byte {
		dst = appendString(dst, specID, string(s.ID))
		for _, arg := range s.Argv {
			dst = appendBytes(dst, specArgv, arg)
		}
		for _, kv := range s.Env {
			dst = appendBytes(dst, specEnv, kv)
		}
		dst = appendString(dst, specDir, s.Dir)
		if s.User != nil {
			dst = appendMessage(dst, specUser, func(dst []byte) []byte { return appendUser(dst, s.User) })
		}
		dst = appendString(dst, specStdout, s.Stdout)
		dst = appendString(dst, specStderr, s.Stderr)
		dst = appendBool(dst, specNoNewPrivs, s.NoNewPrivs)
		dst = appendUint(dst, specNamespaces, s.Namespaces)
		if s.Limits != (container.Limits{}) {
			dst = appendMessage(dst, specLimits, func(dst []byte) []byte { return appendLimits(dst, &s.Limits) })
		}
		dst = appendString(dst, specProgram, s.Program)
		dst = appendUint(dst, specOutputCap, s.OutputCap)
		if s.Capabilities != nil { // none is not the same as unsaid
			dst = appendMessage(dst, specCapabilities, func(dst []byte) []byte { return appendUint(dst, 1, *s.Capabilities) })
		}
		for i := range s.Binds {
			dst = appendMessage(dst, specBind, func(dst []byte) []byte { return appendBind(dst, &s.Binds[i]) })
		}
		return dst
	})
}

// DecodeLaunch reads a Launch.
func DecodeLaunch(body []byte) (s container.Spec, err error) {
	err = decode(body, func(tag uint64, v value) (err error) {
		switch tag {
		case specID:
			s.ID = container.ID(v.string())
		case specArgv:
			s.Argv = append(s.Argv, v.string())
		case specEnv:
			s.Env = append(s.Env, v.string())
		case specDir:
			s.Dir = v.string()
		case specUser:
			s.User, err = decodeUser(v)
		case specStdout:
			s.Stdout = v.string()
		case specStderr:
			s.Stderr = v.string()
		case specNoNewPrivs:
			s.NoNewPrivs = v.bool()
		case specNamespaces:
			s.Namespaces = container.Namespaces(v.uint())
		case specLimits:
			s.Limits, err = decodeLimits(v)
		case specProgram:
			s.Program = v.string()
		case specOutputCap:
			s.OutputCap = v.uint()
		case specCapabilities:
			s.Capabilities, err = decodeCapabilities(v)
		case specBind:
			var b container.Bind
			b, err = decodeBind(v)
			s.Binds = append(s.Binds, b)
		}
		return err
	})
	return s, err
}

func decodeCapabilities(body []byte) (*container.Capabilities, error) {
	c := new(container.Capabilities)
	err := decode(body, func(tag uint64, v value) error {
		if tag == 1 {
			*c = container.Capabilities(v.uint())
		}
		return nil
	})
	return c, err
}

func appendBind(dst []byte, b *container.Bind) []byte {
	dst = appendString(dst, 1, b.Source)
	dst = appendString(dst, 2, b.Target)
	return appendBool(dst, 3, b.ReadOnly)
}

func decodeBind(body []byte) (b container.Bind, err error) {
	err = decode(body, func(tag uint64, v value) error {
		switch tag {
		case 1:
			b.Source = v.string()
		case 2:
			b.Target = v.string()
		case 3:
			b.ReadOnly = v.bool()
		}
		return nil
	})
	return b, err
}

func appendUser(dst []byte, u *container.User) []byte {
	dst = appendUint(dst, 1, u.UID)
	dst = appendUint(dst, 2, u.GID)
	for _, g := range u.Groups {
		dst = appendMessage(dst, 3, func(dst []byte) []byte { return appendUint(dst, 1, g) })
	}
	return dst
}

func decodeUser(body []byte) (*container.User, error) {
	u := new(container.User)
	err := decode(body, func(tag uint64, v value) error {
		switch tag {
		case 1:
			u.UID = uint32(v.uint())
		case 2:
			u.GID = uint32(v.uint())
		case 3:
			var g uint32
			err := decode(v, func(tag uint64, v value) error {
				if tag == 1 {
					g = uint32(v.uint())
				}
				return nil
			})
			u.Groups = append(u.Groups, g)
			return err
		}
		return nil
	})
	return u, err
}

func appendLimits(dst []byte, l *container.Limits) []byte {
	dst = appendUint(dst, 1, l.CPUShares)
	dst = appendUint(dst, 2, l.CPUQuota)
	dst = appendUint(dst, 3, l.CPUPeriod)
	dst = appendUint(dst, 4, l.MemoryBytes)
	dst = appendUint(dst, 5, l.PIDs)
	dst = appendUint(dst, 6, l.MemorySoftBytes)
	return appendBool(dst, 7, l.NoSwap)
}

func decodeLimits(body []byte) (l container.Limits, err error) {
	err = decode(body, func(tag uint64, v value) error {
		switch tag {
		case 1:
			l.CPUShares = v.uint()
		case 2:
			l.CPUQuota = v.duration()
		case 3:
			l.CPUPeriod = v.duration()
		case 4:
			l.MemoryBytes = v.uint()
		case 5:
			l.PIDs = v.uint()
		case 6:
			l.MemorySoftBytes = v.uint()
		case 7:
			l.NoSwap = v.bool()
		}
		return nil
	})
	return l, err
}

// Kill is the request of that name.
type Kill struct {
	ID    container.ID
	Grace time.Duration
}

// AppendKill appends a Kill.
func AppendKill(dst []byte, request uint64, k Kill) []byte {
	return AppendFrame(dst, KindKill, request, func(dst []byte) []byte {
		dst = appendString(dst, 1, string(k.ID))
		return appendUint(dst, 2, max(k.Grace, 0))
	})
}

// DecodeKill reads a Kill.
func DecodeKill(body []byte) (k Kill, err error) {
	err = decode(body, func(tag uint64, v value) error {
		switch tag {
		case 1:
			k.ID = container.ID(v.string())
		case 2:
			k.Grace = v.duration()
		}
		return nil
	})
	return k, err
}

// Limit is the request of that name.
type Limit struct {
	ID     container.ID
	Limits container.Limits
}

// AppendLimit appends a Limit.
func AppendLimit(dst []byte, request uint64, l Limit) []byte {
	return AppendFrame(dst, KindLimit, request, func(dst []byte) []byte {
		dst = appendString(dst, 1, string(l.ID))
		return appendMessage(dst, 2, func(dst []byte) []byte { return appendLimits(dst, &l.Limits) })
	})
}

// DecodeLimit reads a Limit.
func DecodeLimit(body []byte) (l Limit, err error) {
	err = decode(body, func(tag uint64, v value) (err error) {
		switch tag {
		case 1:
			l.ID = container.ID(v.string())
		case 2:
			l.Limits, err = decodeLimits(v)
		}
		return err
	})
	return l, err
}

// AppendList appends a List.
func AppendList(dst []byte, request uint64) []byte { return AppendFrame(dst, KindList, request, nil) }

// AppendWatch appends a Watch.
func AppendWatch(dst []byte, request uint64) []byte { return AppendFrame(dst, KindWatch, request, nil) }

// AppendCollect appends a Collect. All ids have to fit into a frame.
func AppendCollect(dst []byte, request uint64, ids []container.ID) []byte {
	return appendIDs(dst, KindCollect, request, ids)
}

// AppendMeasure appends a Measure. All ids have to fit into a frame.
func AppendMeasure(dst []byte, request uint64, ids []container.ID) []byte {
	return appendIDs(dst, KindMeasure, request, ids)
}

func appendIDs(dst []byte, kind Kind, request uint64, ids []container.ID) []byte {
	return AppendFrame(dst, kind, request, func(dst []byte) []byte {
		for _, id := range ids {
			dst = appendBytes(dst, 1, string(id))
		}
		return dst
	})
}

// DecodeIDs reads a Collect or a Measure.
func DecodeIDs(body []byte) (ids []container.ID, err error) {
	err = decode(body, func(tag uint64, v value) error {
		if tag == 1 {
			ids = append(ids, container.ID(v.string()))
		}
		return nil
	})
	return ids, err
}
