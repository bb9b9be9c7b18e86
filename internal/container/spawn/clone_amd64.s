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

#define SYS_rt_sigprocmask 14
#define SYS_exit_group     231
#define SIG_SETMASK        2

// func cloneAndRun(c *call)
//
// R12, R13 and R15 survive a system call: the parent keeps c there, the child its
// place in the script, so that it needs no stack and may share the parent's.
TEXT ·cloneAndRun(SB), NOSPLIT, $0-8
	CALL	runtime·entersyscall(SB)
	MOVQ	c+0(FP), R15

	MOVQ	$SYS_rt_sigprocmask, AX
	MOVQ	$SIG_SETMASK, DI
	LEAQ	CALL_ALL(R15), SI
	LEAQ	CALL_MASK(R15), DX
	MOVQ	$8, R10
	SYSCALL

	MOVQ	CALL_FIRST(R15), R12
	MOVQ	CALL_END(R15), R13
	MOVQ	CALL_NR(R15), AX
	MOVQ	(CALL_ARGS+0)(R15), DI
	MOVQ	(CALL_ARGS+8)(R15), SI
	MOVQ	(CALL_ARGS+16)(R15), DX
	MOVQ	(CALL_ARGS+24)(R15), R10
	MOVQ	$0, R8
	MOVQ	$0, R9
	SYSCALL
	TESTQ	AX, AX
	JZ	child
	MOVQ	AX, CALL_RET(R15)

	MOVQ	$SYS_rt_sigprocmask, AX
	MOVQ	$SIG_SETMASK, DI
	LEAQ	CALL_MASK(R15), SI
	MOVQ	$0, DX
	MOVQ	$8, R10
	SYSCALL
	CALL	runtime·exitsyscall(SB)
	RET

child:
	CMPQ	R12, R13
	JEQ	quit
	MOVQ	OP_NR(R12), AX
	MOVQ	8(R12), DI
	MOVQ	16(R12), SI
	MOVQ	24(R12), DX
	MOVQ	32(R12), R10
	MOVQ	40(R12), R8
	MOVQ	48(R12), R9
	SYSCALL
	MOVQ	AX, OP_RET(R12)
	CMPQ	AX, $0xfffffffffffff001
	JCS	next
	CMPQ	OP_FLAGS(R12), $0
	JEQ	quit
next:
	ADDQ	$OP_SIZE, R12
	JMP	child

quit:
	MOVQ	$SYS_exit_group, AX
	MOVQ	$127, DI
	SYSCALL
	JMP	quit
