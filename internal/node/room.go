package node

// DiskRoom says whether the disk has room for more work. Why not is empty when it has.
//
// The log still works, with what was held back for it: what runs goes on and its statuses are kept. Work that
// would fill the disk further is refused. It is for the shell to say when there is room enough again.
type DiskRoom struct{ WhyNot string }

func (n *Node) diskRoom(in DiskRoom) {
	switch {
	case n.commits.broken != "": // which says more
	case in.WhyNot != "" && n.noRoom == "":
		n.emit(Notice{What: NoticeDiskFull, Detail: in.WhyNot})
	case in.WhyNot == "" && n.noRoom != "":
		n.emit(Notice{What: NoticeDiskRoom})
	}
	n.noRoom = in.WhyNot
}

// Trouble says why the agent takes no work that it could take; empty if it does.
func (n *Node) Trouble() string {
	switch {
	case n.commits.broken != "":
		return "The agent cannot write its log: " + n.commits.broken
	case n.noRoom != "":
		return "The agent's disk is full: " + n.noRoom
	}
	return ""
}
