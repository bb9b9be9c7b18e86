#include "textflag.h"

// The layout of op, in bytes; see script.go.
#define OP_NR    0
#define OP_FLAGS 56
#define OP_RET   64
#define OP_SIZE  72

// func cloneAndRun(nr, a0, a1, a2, a3, a4, first, end uintptr) (ret uintptr)
//
// A system call leaves every register but R0 alone; the child keeps its place in
// the script in R19 and R20 and needs no stack, so it may share the parent's.
TEXT ·cloneAndRun(SB), NOSPLIT, $0-72
	BL	runtime·entersyscall(SB)
	MOVD	first+48(FP), R19
	MOVD	end+56(FP), R20
	MOVD	nr+0(FP), R8
	MOVD	a0+8(FP), R0
	MOVD	a1+16(FP), R1
	MOVD	a2+24(FP), R2
	MOVD	a3+32(FP), R3
	MOVD	a4+40(FP), R4
	MOVD	$0, R5
	SVC
	CBZ	R0, child
	MOVD	R0, ret+64(FP)
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
	MOVD	$94, R8		// exit_group
	MOVD	$127, R0
	SVC
	B	quit
