#include "textflag.h"

// The layout of op, in bytes; see script.go.
#define OP_NR    0
#define OP_FLAGS 56
#define OP_RET   64
#define OP_SIZE  72

// func cloneAndRun(nr, a0, a1, a2, a3, a4, first, end uintptr) (ret uintptr)
//
// R12 and R13 survive a system call; the child keeps its place in the script
// there and needs no stack, so it may share the parent's.
TEXT ·cloneAndRun(SB), NOSPLIT, $0-72
	CALL	runtime·entersyscall(SB)
	MOVQ	first+48(FP), R12
	MOVQ	end+56(FP), R13
	MOVQ	nr+0(FP), AX
	MOVQ	a0+8(FP), DI
	MOVQ	a1+16(FP), SI
	MOVQ	a2+24(FP), DX
	MOVQ	a3+32(FP), R10
	MOVQ	a4+40(FP), R8
	MOVQ	$0, R9
	SYSCALL
	TESTQ	AX, AX
	JZ	child
	MOVQ	AX, ret+64(FP)
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
	MOVQ	$231, AX	// exit_group
	MOVQ	$127, DI
	SYSCALL
	JMP	quit
