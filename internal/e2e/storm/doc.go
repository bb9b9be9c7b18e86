// Package storm holds a real cluster to the promise that nothing is lost: 200 tasks run on it, and its
// processes are killed with SIGKILL and stopped with SIGSTOP at random moments, one after the other; and so
// are the connections between agents and master cut, for so long that the agent is given up and comes back.
//
// The framework is a process of its own (framework_test.go), and so are its executors (executor_test.go):
// the test binary plays them when the environment says so. What really happened is what the tasks themselves
// have written into files; what the framework was told is in its journal. In the end both have to agree
// (verdict_test.go): whatever ran to its end has its true exit code, and nothing ran twice, or after its
// scheduler was told that it would not.
//
//	go test ./internal/e2e/storm -storm.each 50      # more of it
package storm
