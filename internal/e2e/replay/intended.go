package replay

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// intended are the differences that are meant. docs/differences.md tells them to users.
var intended = []*departure{
	{`^SUBSCRIBED\.subscribed\.master_info\.capabilities: recorded .*QUOTA_V2`,
		"clients whose JSON readers do not know QUOTA_V2 give the stream up; nobody needs it"},
	{`^(UPDATE|TASK_UPDATED) \S+ TASK_STARTING\..*container_status: executor_pid is missing$`,
		"a command task has no executor process: executor_pid is the command's, which is not started yet"},
	{`^UPDATE nf TASK_FAILED\..*container_status: executor_pid is missing$`,
		"a command that cannot be started has no process"},
	{`^UPDATE uri TASK_FAILED\..*message: recorded "Failed to launch container: Failed to fetch all URIs for PLACE: exited with status 1"`,
		"the message names the URI and the cause"},
	{`^environment\.MESOS_CHECKPOINT: recorded "0", got "1"$`,
		"every framework's executors survive a restart of their agent"},
	{`^environment: (MESOS_RECOVERY_TIMEOUT|MESOS_SUBSCRIPTION_BACKOFF_MAX) is too much: `,
		"what belongs to MESOS_CHECKPOINT=1; the recorded framework did not ask for it"},
	{`^environment: MESETA_CONTAINER is too much: `,
		"by which an agent without cgroups finds the processes of a container"},
	{`^still open, got zero chunk: .*Executor stream`,
		"the stream of an executor ends with it, also if somebody else holds it"},
	{`^recorded headers Content-Length, Content-Type, Date, got Connection, `,
		"an answer after which the connection is closed says so, as RFC 9112 asks"},
	{`^recorded headers Content-Type, Date, (Mesos-Stream-Id, )?Transfer-Encoding, got Connection, `,
		"likewise a stream, which takes its connection over: a client would find it closed at its next call"},
	{`^HTTP/1\.0: recorded "HTTP/1\.1 200 OK", got "HTTP/1\.0 200 OK"$`,
		"an old client is answered in its version"},
	{`^not HTTP: recorded "", got "HTTP/1\.1 400 Bad Request"$`,
		"that is more useful than a connection which just ends"},
}

// departure is a way in which our answers differ on purpose.
type departure struct {
	difference string // a regular expression for what compare says
	reason     string
}

var (
	usedMu sync.Mutex
	used   = map[*departure]bool{}
)

// unintended gives those of the differences that are not meant.
func unintended(differences []string) []string {
	usedMu.Lock()
	defer usedMu.Unlock()
	return slices.DeleteFunc(differences, func(d string) bool {
		for _, i := range intended {
			if regexp.MustCompile(i.difference).MatchString(d) {
				used[i] = true
				return true
			}
		}
		return false
	})
}

// stale gives the intended differences that did not occur.
func stale() error {
	usedMu.Lock()
	defer usedMu.Unlock()
	var lines []string
	for _, i := range intended {
		if !used[i] {
			lines = append(lines, fmt.Sprintf("%s (%s)", i.difference, i.reason))
		}
	}
	if len(lines) > 0 {
		return fmt.Errorf("intended differences that did not occur; is it time to remove them?\n%s", strings.Join(lines, "\n"))
	}
	return nil
}
