package node

// What names a Notice. Its String is a constant sentence for the log.
type What int

// Everything that is worth a line.
const (
	NoticeRegistered           What = iota // the agent has a place in a cluster
	NoticeRefused                          // a master turned the agent away
	NoticeFenced                           // a former leader was ignored
	NoticeStale                            // a message of another session was dropped
	NoticeDuplicateTask                    // a task that already lives was asked for again
	NoticeTaskRefused                      // a task was not taken
	NoticeTaskEnded                        // a task reached a terminal state
	NoticeExecutorStarted                  // a custom executor runs
	NoticeExecutorSubscribed               // a custom executor opened a stream
	NoticeExecutorDisconnected             // a custom executor's stream ended while it lives
	NoticeExecutorTimeout                  // a custom executor did not subscribe in time
	NoticeExecutorEnded                    // a custom executor is gone
	NoticeUnknownTask                      // an executor spoke of a task that is not its own
	NoticeLargeStatus                      // an executor repeated a status that is too large to keep
	NoticeLateStatus                       // a status came after the task's end
	NoticeMessageDropped                   // a message found nobody to take it
	NoticeFrameworkEnding                  // a framework's end was ordered
	NoticeFrameworkEnded                   // nothing of a framework is left
	NoticeOrphan                           // a container that nobody knows was found and ended
	NoticeRebooted                         // the machine was rebooted since the last run
	NoticeRecovered                        // the state of the last run is back
	NoticeLimited                          // a container took more than it may
	NoticeDiskFull                         // the disk takes no more work
	NoticeDiskRoom                         // the disk has room again
	NoticeBroken                           // the log takes no more
)

var noticeTexts = [...]string{
	NoticeRegistered:           "registered with the master",
	NoticeRefused:              "the master refused the agent",
	NoticeFenced:               "a message of a former leader was refused",
	NoticeStale:                "a message of another link session was dropped",
	NoticeDuplicateTask:        "a task that already lives was asked for again",
	NoticeTaskRefused:          "a task was refused",
	NoticeTaskEnded:            "task ended",
	NoticeExecutorStarted:      "executor started",
	NoticeExecutorSubscribed:   "executor subscribed",
	NoticeExecutorDisconnected: "executor disconnected",
	NoticeExecutorTimeout:      "executor did not subscribe in time and is ended",
	NoticeExecutorEnded:        "executor ended",
	NoticeUnknownTask:          "an executor spoke of a task that it does not have",
	NoticeLargeStatus:          "a status is too large to be kept and was dropped",
	NoticeLateStatus:           "a status came after the end of its task and was dropped",
	NoticeMessageDropped:       "a message found nobody to take it and was dropped",
	NoticeFrameworkEnding:      "framework is being shut down",
	NoticeFrameworkEnded:       "nothing of the framework is left",
	NoticeOrphan:               "a container that is not in the log was found and is ended",
	NoticeRebooted:             "the machine was rebooted since the last run",
	NoticeRecovered:            "recovered from the log",
	NoticeLimited:              "a container used more than it may and is ended",
	NoticeDiskFull:             "the disk is full: no more work is accepted",
	NoticeDiskRoom:             "the disk has room again: work is accepted",
	NoticeBroken:               "the log cannot be written: no more work is accepted",
}

// String is the sentence for the log.
func (w What) String() string { return noticeTexts[w] }
