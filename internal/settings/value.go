package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/meseta/meseta/internal/duration"
	"github.com/meseta/meseta/internal/size"
)

// value is a flag's value: a field of a configuration, and how people write it.
type value[T any] struct {
	p      *T
	what   string
	parse  func(string) (T, error)
	format func(T) string
}

func (v *value[T]) Set(text string) error {
	parsed, err := v.parse(text)
	if err == nil {
		*v.p = parsed
	}
	return err
}

func (v *value[T]) String() string { return v.format(*v.p) }

// Type is the word that help has for the value.
func (v *value[T]) Type() string { return v.what }

func verbatim(s string) string { return s }

func checkIP(s string) error {
	if _, err := netip.ParseAddr(s); err != nil {
		return errors.New("expected an IP address such as 10.0.0.1, or 0.0.0.0 for all of this machine")
	}
	return nil
}

func checkDirectory(s string) error {
	if s == "" {
		return errors.New("expected the path of a directory")
	}
	return nil
}

func parsePort(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < -1 || n == 0 || n > 65535 {
		return 0, errors.New("expected a port from 1 to 65535, or -1 for any that is free")
	}
	return n, nil
}

func parseCount(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, errors.New("expected a whole number of at least 1")
	}
	return n, nil
}

// parseDuration reads Mesos' syntax ("15secs") and Go's.
func parseDuration(s string) (time.Duration, error) {
	d, err := duration.Parse(s)
	if err != nil {
		d, err = time.ParseDuration(s)
	}
	if err != nil || d <= 0 {
		return 0, errors.New("expected a duration such as 250ms, 15secs, 10mins, 1.5hrs or 2days")
	}
	return d, nil
}

// formatDuration shows nothing for a duration that is not set.
func formatDuration(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return duration.Format(d)
}

func parseSize(s string) (int64, error) {
	n, err := size.Parse(s)
	if err != nil || n == 0 {
		return 0, errors.New("expected a size such as 512KB, 64MB or 2GB")
	}
	return n, nil
}

func formatSize(n int64) string {
	if n == 0 {
		return ""
	}
	return size.Format(n)
}

func parseFraction(s string) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x >= 0 && x <= 1) {
		return 0, errors.New("expected a number from 0 to 1, such as 0.1")
	}
	return x, nil
}

func formatFraction(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func parsePercent(s string) (int, error) {
	digits, marked := strings.CutSuffix(s, "%")
	n, err := strconv.Atoi(digits)
	if err != nil || !marked || n < 1 || n > 100 {
		return 0, errors.New("expected a percentage from 1% to 100%")
	}
	return n, nil
}

func formatPercent(n int) string { return strconv.Itoa(n) + "%" }

func parseRate(s string) (time.Duration, error) {
	times, per, _ := strings.Cut(s, "/")
	n, err := strconv.Atoi(times)
	d, wrong := duration.Parse(per)
	if err != nil || wrong != nil || n < 1 || d <= 0 || d/time.Duration(n) == 0 {
		return 0, errors.New("expected a number and a duration such as 1/10mins or 100/1secs")
	}
	return d / time.Duration(n), nil
}

// formatRate says so many times a second, or once in that time.
func formatRate(pause time.Duration) string {
	if pause > 0 && time.Second%pause == 0 {
		return strconv.Itoa(int(time.Second/pause)) + "/1secs"
	}
	return "1/" + duration.Format(pause)
}

func parseHostPorts(s string) ([]string, error) {
	if strings.HasPrefix(s, "zk://") {
		return nil, errors.New("there is no ZooKeeper to ask; expected the masters themselves, such as m1:5050,m2:5050")
	}
	all := strings.Split(s, ",")
	for i, address := range all {
		all[i] = strings.TrimSpace(address)
		host, port, err := net.SplitHostPort(all[i])
		if _, notPort := parsePort(port); err != nil || host == "" || notPort != nil || port == "-1" {
			return nil, errors.New("expected HOST:PORT, or several with commas between, such as m1:5050,m2:5050")
		}
	}
	return all, nil
}

func formatHostPorts(all []string) string { return strings.Join(all, ",") }

func parseSwitch(s string) (bool, error) {
	on, ok := truth(s)
	if !ok || s == "" {
		return false, errors.New("expected true or false")
	}
	return on, nil
}

// level is the value of a setting for a log, with Mesos' names and DEBUG.
type level slog.LevelVar

var levels = map[string]slog.Level{"DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "WARNING": slog.LevelWarn, "ERROR": slog.LevelError}

func (l *level) Set(text string) error {
	v, ok := levels[strings.ToUpper(text)]
	if !ok {
		return errors.New("expected DEBUG, INFO, WARNING or ERROR")
	}
	(*slog.LevelVar)(l).Set(v)
	return nil
}

func (l *level) String() string {
	for name, v := range levels {
		if v == (*slog.LevelVar)(l).Level() {
			return name
		}
	}
	return (*slog.LevelVar)(l).Level().String()
}

func (*level) Type() string { return "LEVEL" }

func parseVariables(s string) (map[string]string, error) {
	var all map[string]string
	if err := json.Unmarshal([]byte(s), &all); err != nil {
		return nil, errors.New(`expected a JSON object of texts, such as {"LANG":"C.UTF-8"}, or file:// and the path of one`)
	}
	for name, value := range all {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
			return nil, fmt.Errorf("%q is no variable: expected a name without '=', and no zero bytes", name)
		}
	}
	return all, nil
}

func formatVariables(all map[string]string) string {
	if len(all) == 0 {
		return ""
	}
	text, _ := json.Marshal(all) // a map of texts can always be written
	return string(text)
}
