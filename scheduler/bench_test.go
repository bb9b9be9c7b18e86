package scheduler_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/wire"
)

// BenchmarkAccept is what a launch of one task costs, from LaunchTasks to the master's 202, against a
// server that does as little as it can. The CPU time is that of both ends.
func BenchmarkAccept(b *testing.B) {
	master := newIdleMaster(b)
	d := newDriver(b, newRecorder(nil), config(master.Addr().String()))
	d.Start()
	for d.ReviveOffers(); master.answered.Load() == 0; d.ReviveOffers() {
		time.Sleep(time.Millisecond)
	}
	for _, batch := range []int{1, 10} {
		b.Run(fmt.Sprintf("%d per call", batch), func(b *testing.B) {
			b.ReportAllocs()
			before, target := cpu(), master.answered.Load()
			n := 0
			for b.Loop() {
				var tasks []*mesos.TaskInfo
				for range batch {
					n++
					tasks = append(tasks, command("task-"+strconv.Itoa(n)))
				}
				d.LaunchTasks([]*mesos.OfferID{offerID("e8f5bb2e-4d4a-4a3e-8a0f-3b1d1f0c6f0d-O1")}, tasks, nil)
				target++
				// Keep a few in flight, as a busy scheduler does.
				for target-master.answered.Load() > 32 {
					time.Sleep(10 * time.Microsecond)
				}
			}
			b.ReportMetric(float64((cpu()-before).Microseconds())/float64(n), "cpu-µs/task")
		})
	}
}

// command is a small command task.
func command(id string) *mesos.TaskInfo {
	t := task(id)
	t.Command = &mesos.CommandInfo{Value: new("true")}
	for name, value := range map[string]float64{"cpus": 0.1, "mem": 32} {
		t.Resources = append(t.Resources, &mesos.Resource{
			Name: &name, Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &value}})
	}
	return t
}

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// idleMaster answers SUBSCRIBE with SUBSCRIBED and everything else with 202, without looking at it.
type idleMaster struct {
	net.Listener
	answered atomic.Int64
}

func newIdleMaster(b *testing.B) *idleMaster {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	m := &idleMaster{Listener: l}
	b.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go m.serve(conn)
		}
	}()
	return m
}

func (m *idleMaster) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for first := true; ; first = false {
		length, streamed := 0, false
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if n, ok := strings.CutPrefix(line, "Content-Length: "); ok {
				length, _ = strconv.Atoi(strings.TrimSpace(n))
			}
			streamed = streamed || strings.HasPrefix(line, "Mesos-Stream-Id")
			if line == "\r\n" {
				break
			}
		}
		io.CopyN(io.Discard, r, int64(length))
		if first && !streamed {
			record, _ := wire.Protobuf.Marshal(subscribed())
			record = append([]byte(strconv.Itoa(len(record))+"\n"), record...)
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nMesos-Stream-Id: 1\r\n"+
				"Content-Type: application/x-protobuf\r\n\r\n%x\r\n%s\r\n", len(record), record)
			continue
		}
		io.WriteString(conn, "HTTP/1.1 202 Accepted\r\nDate: Fri, 20 Nov 2026 09:18:14 GMT\r\nContent-Length: 0\r\n\r\n")
		m.answered.Add(1)
	}
}
