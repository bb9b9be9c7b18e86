package spawn_test

import (
	"testing"
	"syscall"
	"github.com/meseta/meseta/internal/container/spawn"
)

func TestStart(t *testing.T){
	s := spawn.New()
	pid, err := s.Start(&spawn.Command{Programs: []string{"/bin/true"}, Argv: []string{"true"}, Dir:"/"})
	if err != nil { t.Fatal(err) }
	var ws syscall.WaitStatus
	syscall.Wait4(pid,&ws,0,nil)
	t.Log(pid, ws)
	pid, err = s.Start(&spawn.Command{Programs: []string{"/bin/truex"}, Argv: []string{"true"}, Dir:"/"})
	t.Log(pid, err)
}
func rus() int64 { var a,c syscall.Rusage; syscall.Getrusage(0,&a); syscall.Getrusage(-1,&c); t:=func(x syscall.Timeval)int64{return x.Sec*1e6+int64(x.Usec)}; return t(a.Utime)+t(a.Stime)+t(c.Utime)+t(c.Stime)}
func BenchmarkStart(b *testing.B){
	s := spawn.New()
	cpu:=rus()
	for b.Loop() {
	pid, err := s.Start(&spawn.Command{Programs: []string{"/bin/true"}, Argv: []string{"true"}, Dir:"/"})
	if err != nil { b.Fatal(err) }
	var ws syscall.WaitStatus
	for { _, err := syscall.Wait4(pid,&ws,0,nil); if err != syscall.EINTR {break} }
	}
	b.ReportMetric(float64(rus()-cpu)/float64(b.N),"cpu-us/op") 
}
func fe(){ pid,err:=syscall.ForkExec("/bin/true",[]string{"true"},&syscall.ProcAttr{Files:[]uintptr{0,1,2}, Sys: &syscall.SysProcAttr{Setsid:true}}); if err!=nil{panic(err)}; var ws syscall.WaitStatus; for { _,err:=syscall.Wait4(pid,&ws,0,nil); if err!=syscall.EINTR{break} } }
func BenchmarkForkExec(b *testing.B){
	cpu:=rus()
	for b.Loop() { fe() }
	b.ReportMetric(float64(rus()-cpu)/float64(b.N),"cpu-us/op") 
}
