package protocol

import (
	"errors"
	"syscall"

	"github.com/meseta/meseta/internal/container"
)

// Answer is what any request is answered with; most of it is absent.
type Answer struct {
	Err     error
	More    bool // another Answer to the same request follows
	Started container.Started
	Hello   *ServerHello
	Infos   []container.Info
	Exits   []container.Exit

	Statistics []container.Statistics
}

// ServerHello is how a supervisor introduces itself.
type ServerHello struct {
	Version  uint64
	Process  container.Started
	Tracking string // how it tracks process sets, for people

	// Abilities are what it can do for containers; none from a supervisor of version 1,
	// which can do none of it.
	Abilities []container.Ability
}

// The tags of an Answer.
const (
	answerError   = 1
	answerMore    = 2
	answerStarted = 3
	answerHello   = 4
	answerInfo    = 5
	answerExit    = 6
	answerStats   = 7
)

// PieceItems is how many items of a list go into one frame.
const PieceItems = 512

// AppendAnswer appends an Answer.
func AppendAnswer(dst []byte, request uint64, a *Answer) []byte {
	return AppendFrame(dst, KindAnswer, request, func(dst []byte) []byte {
		if a.Err != nil {
			dst = appendMessage(dst, answerError, func(dst []byte) []byte { return appendError(dst, a.Err) })
		}
		dst = appendBool(dst, answerMore, a.More)
		if a.Started != (container.Started{}) {
			dst = appendMessage(dst, answerStarted, func(dst []byte) []byte { return appendStarted(dst, a.Started) })
		}
		if a.Hello != nil {
			dst = appendMessage(dst, answerHello, func(dst []byte) []byte { return appendServerHello(dst, a.Hello) })
		}
		for i := range a.Infos {
			dst = appendMessage(dst, answerInfo, func(dst []byte) []byte { return appendInfo(dst, &a.Infos[i]) })
		}
		for _, exit := range a.Exits {
			dst = appendMessage(dst, answerExit, func(dst []byte) []byte { return AppendExit(dst, exit) })
		}
		for i := range a.Statistics {
			dst = appendMessage(dst, answerStats, func(dst []byte) []byte { return appendStatistics(dst, &a.Statistics[i]) })
		}
		return dst
	})
}

// DecodeAnswer reads an Answer.
func DecodeAnswer(body []byte) (a Answer, err error) {
	err = decode(body, func(tag uint64, v value) (err error) {
		switch tag {
		case answerError:
			a.Err, err = decodeError(v)
		case answerMore:
			a.More = v.bool()
		case answerStarted:
			a.Started, err = DecodeStarted(v)
		case answerHello:
			a.Hello, err = decodeServerHello(v)
		case answerInfo:
			var info container.Info
			info, err = decodeInfo(v)
			a.Infos = append(a.Infos, info)
		case answerExit:
			var exit container.Exit
			exit, err = DecodeExit(v)
			a.Exits = append(a.Exits, exit)
		case answerStats:
			var stats container.Statistics
			stats, err = decodeStatistics(v)
			a.Statistics = append(a.Statistics, stats)
		}
		return err
	})
	return a, err
}

// AppendExited appends the news of an exit.
func AppendExited(dst []byte, exit container.Exit) []byte {
	return AppendFrame(dst, KindExited, 0, func(dst []byte) []byte { return AppendExit(dst, exit) })
}

// The codes of errors: never renumber.
const (
	codeOther       = 1
	codeInvalid     = 2
	codeStopping    = 3
	codeFull        = 4
	codeUnknown     = 5
	codeLaunch      = 6
	codeUnsupported = 7
)

var sentinels = map[uint64]error{
	codeInvalid:     container.ErrInvalid,
	codeStopping:    container.ErrStopping,
	codeFull:        container.ErrFull,
	codeUnknown:     container.ErrUnknown,
	codeUnsupported: container.ErrUnsupported,
}

// refusal is an error that came over the wire: the words of the supervisor, and
// the sentinel that its code stands for.
type refusal struct {
	words    string
	sentinel error
}

func (r *refusal) Error() string { return r.words }
func (r *refusal) Unwrap() error { return r.sentinel }

// The tags of an error.
const (
	errorCode  = 1
	errorWords = 2
	errorID    = 3 // this and the rest with codeLaunch
	errorStage = 4
	errorErrno = 5
	errorWhat  = 6
)

func appendError(dst []byte, err error) []byte {
	if e, ok := errors.AsType[*container.LaunchError](err); ok {
		return appendLaunchError(dst, e)
	}
	code := uint64(codeOther)
	for c, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			code = c
		}
	}
	dst = appendUint(dst, errorCode, code)
	return appendString(dst, errorWords, err.Error())
}

func appendLaunchError(dst []byte, e *container.LaunchError) []byte {
	dst = appendUint(dst, errorCode, uint64(codeLaunch))
	dst = appendString(dst, errorID, string(e.ID))
	dst = appendUint(dst, errorStage, e.Stage)
	dst = appendUint(dst, errorErrno, e.Errno)
	return appendString(dst, errorWhat, e.What)
}

func decodeError(body []byte) (error, error) {
	var code uint64
	var r refusal
	var l container.LaunchError
	err := decode(body, func(tag uint64, v value) error {
		switch tag {
		case errorCode:
			code = v.uint()
		case errorWords:
			r.words = v.string()
		case errorID:
			l.ID = container.ID(v.string())
		case errorStage:
			l.Stage = container.Stage(v.uint())
		case errorErrno:
			l.Errno = syscall.Errno(v.uint())
		case errorWhat:
			l.What = v.string()
		}
		return nil
	})
	if code == codeLaunch {
		return &l, err
	}
	r.sentinel = sentinels[code]
	return &r, err
}

func appendServerHello(dst []byte, h *ServerHello) []byte {
	dst = appendUint(dst, 1, h.Version)
	dst = appendMessage(dst, 2, func(dst []byte) []byte { return appendStarted(dst, h.Process) })
	dst = appendString(dst, 3, h.Tracking)
	for i := range h.Abilities {
		dst = appendMessage(dst, 4, func(dst []byte) []byte { return appendAbility(dst, &h.Abilities[i]) })
	}
	return dst
}

func decodeServerHello(body []byte) (*ServerHello, error) {
	h := new(ServerHello)
	err := decode(body, func(tag uint64, v value) (err error) {
		switch tag {
		case 1:
			h.Version = v.uint()
		case 2:
			h.Process, err = DecodeStarted(v)
		case 3:
			h.Tracking = v.string()
		case 4:
			var a container.Ability
			a, err = decodeAbility(v)
			h.Abilities = append(h.Abilities, a)
		}
		return err
	})
	return h, err
}

func appendAbility(dst []byte, a *container.Ability) []byte {
	dst = appendUint(dst, 1, a.Feature)
	dst = appendBool(dst, 2, a.Works)
	return appendString(dst, 3, a.How)
}

func decodeAbility(body []byte) (a container.Ability, err error) {
	err = decode(body, func(tag uint64, v value) error {
		switch tag {
		case 1:
			a.Feature = container.Feature(v.uint())
		case 2:
			a.Works = v.bool()
		case 3:
			a.How = v.string()
		}
		return nil
	})
	return a, err
}

func appendStarted(dst []byte, s container.Started) []byte {
	dst = appendUint(dst, 1, s.PID)
	dst = appendUint(dst, 2, s.StartTime)
	return appendTime(dst, 3, s.At)
}

// DecodeStarted reads the identity of a process.
func DecodeStarted(body []byte) (s container.Started, err error) {
	err = decode(body, func(tag uint64, v value) error {
		switch tag {
		case 1:
			s.PID = int(v.uint())
		case 2:
			s.StartTime = v.uint()
		case 3:
			s.At = v.time()
		}
		return nil
	})
	return s, err
}

func appendInfo(dst []byte, i *container.Info) []byte {
	dst = appendString(dst, 1, string(i.ID))
	dst = appendUint(dst, 2, i.State)
	dst = appendMessage(dst, 3, func(dst []byte) []byte { return appendStarted(dst, i.Started) })
	if i.Exit != nil {
		dst = appendMessage(dst, 4, func(dst []byte) []byte { return AppendExit(dst, *i.Exit) })
	}
	if i.Failure != nil {
		dst = appendMessage(dst, 5, func(dst []byte) []byte { return appendLaunchError(dst, i.Failure) })
	}
	return dst
}

func decodeInfo(body []byte) (i container.Info, err error) {
	err = decode(body, func(tag uint64, v value) (err error) {
		switch tag {
		case 1:
			i.ID = container.ID(v.string())
		case 2:
			i.State = container.State(v.uint())
		case 3:
			i.Started, err = DecodeStarted(v)
		case 4:
			var exit container.Exit
			exit, err = DecodeExit(v)
			i.Exit = &exit
		case 5:
			var failure error
			failure, err = decodeError(v)
			i.Failure, _ = errors.AsType[*container.LaunchError](failure)
		}
		return err
	})
	return i, err
}

// AppendExit appends the fields of an exit.
func AppendExit(dst []byte, e container.Exit) []byte {
	dst = appendString(dst, 1, string(e.ID))
	dst = appendUint(dst, 2, uint32(e.Status))
	dst = appendUint(dst, 3, e.Reason)
	dst = appendTime(dst, 4, e.At)
	if e.OutOfMemory != (container.OutOfMemory{}) {
		dst = appendMessage(dst, 5, func(dst []byte) []byte {
			dst = appendUint(dst, 1, e.OutOfMemory.Limit)
			return appendUint(dst, 2, e.OutOfMemory.Peak)
		})
	}
	return dst
}

// DecodeExit reads the fields of an exit.
func DecodeExit(body []byte) (e container.Exit, err error) {
	err = decode(body, func(tag uint64, v value) (err error) {
		switch tag {
		case 1:
			e.ID = container.ID(v.string())
		case 2:
			e.Status = container.Status(v.uint())
		case 3:
			e.Reason = container.Reason(v.uint())
		case 4:
			e.At = v.time()
		case 5:
			e.OutOfMemory, err = decodeOutOfMemory(v)
		}
		return err
	})
	return e, err
}

func decodeOutOfMemory(body []byte) (m container.OutOfMemory, err error) {
	err = decode(body, func(tag uint64, v value) error {
		switch tag {
		case 1:
			m.Limit = v.uint()
		case 2:
			m.Peak = v.uint()
		}
		return nil
	})
	return m, err
}
