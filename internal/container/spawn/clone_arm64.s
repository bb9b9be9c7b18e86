#include "textflag.h"

// The layouts of op and call, in bytes; see script.go and spawn.go.
#define OP_NR    0
#define OP_FLAGS 56
#define OP_RET   64
#define OP_SIZE  72

#define CALL_NR     0
#define CALL_ARGS   8
#define CALL_FIRST  40
#define CALL_END    48
#define CALL_ALL    56
#define CALL_MASK   64
#define CALL_RET    72

#define SYS_rt_sigprocmask 135
#define SYS_exit_group     94
#define SIG_SETMASK        2

// func cloneAndRun(c *call)
//
// A system call leaves every register but R0 alone: the parent keeps c in R21, the
// child its place in the script in R19 and R20, so that it needs no stack and may
// share the parent's.
TEXT ·cloneAndRun(SB), NOSPLIT, $0-8
	BL	runtime·entersyscall(SB)
	MOVD	c+0(FP), R21

	MOVD	$SYS_rt_sigprocmask, R8
	MOVD	$SIG_SETMASK, R0
	ADD	$CALL_ALL, R21, R1
	ADD	$CALL_MASK, R21, R2
	MOVD	$8, R3
	SVC

	MOVD	CALL_FIRST(R21), R19
	MOVD	CALL_END(R21), R20
	MOVD	CALL_NR(R21), R8
	MOVD	(CALL_ARGS+0)(R21), R0
	MOVD	(CALL_ARGS+8)(R21), R1
	MOVD	(CALL_ARGS+16)(R21), R2
	MOVD	(CALL_ARGS+24)(R21), R3
	MOVD	$0, R4
	MOVD	$0, R5
	SVC
	CBZ	R0, child
	MOVD	R0, CALL_RET(R21)

	MOVD	$SYS_rt_sigprocmask, R8
	MOVD	$SIG_SETMASK, R0
	ADD	$CALL_MASK, R21, R1
	MOVD	$0, R2
	MOVD	$8, R3
	SVC
	BL	runtime·exitsyscall(SB)
	RET

child:
	CMP	R19, R20
	BEQ	quit
	MOVD	OP_NR(R19), R8
	MOVD	8(R19), R0
	MOVD	16(R19), R1
	MOVD	24(R19), R2
	MOVD	32(R19), R3
	MOVD	40(R19), R4
	MOVD	48(R19), R5
	SVC
	MOVD	R0, OP_RET(R19)
	CMN	$4095, R0
	BCC	next
	MOVD	OP_FLAGS(R19), R1
	CBZ	R1, quit
next:
	ADD	$OP_SIZE, R19
	B	child

quit:
	MOVD	$SYS_exit_group, R8
	MOVD	$127, R0
	SVC
	B	quit
