package resources

import (
	"testing"
	"unsafe"
)

// A million tasks hold a few million resources.
func TestResourceIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(Resource{}); size > 64 {
		t.Errorf("a Resource has %d bytes, want 64 at most", size)
	}
}

func BenchmarkAdd(b *testing.B) {
	agent := MustParse("ports:[31000-32000];cpus:8;mem:8192;disk:10000")
	task := MustParse("cpus:0.1;mem:32")
	b.ReportAllocs()
	for b.Loop() {
		agent.Add(task)
	}
}

func BenchmarkTake(b *testing.B) {
	agent := MustParse("ports:[31000-32000];cpus:8;mem:8192;disk:10000")
	task := MustParse("cpus:0.1;mem:32")
	b.ReportAllocs()
	for b.Loop() {
		agent.Take(task)
	}
}

func BenchmarkContains(b *testing.B) {
	agent := MustParse("ports:[31000-32000];cpus:8;mem:8192;disk:10000")
	task := MustParse("cpus:0.1;mem:32")
	b.ReportAllocs()
	for b.Loop() {
		agent.Contains(task)
	}
}
