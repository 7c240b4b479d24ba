/* SPDX-License-Identifier: MIT */
/*
 * What stands between a function and its caller while calls are written down (function_calls.c). Both
 * save every register that C may change, because the function has not read its arguments yet, or
 * has put its result there; the stack may stand anywhere, because the compiler knows of no call.
 */
#ifdef __x86_64__

/* Called from the first bytes of a function: below the return address to there lies the one to its caller. */
	.text
	.globl	function_begin_hook
	.hidden	function_begin_hook
	.type	function_begin_hook, @function
function_begin_hook:
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	movq	8(%rbp), %rdi		/* behind the five bytes */
	leaq	16(%rbp), %rsi		/* where the caller's address stands */
	subq	$8, %rsp
	movq	%rsp, %rax
	andq	$-16, %rsp
	movq	%rax, (%rsp)
	call	function_begins
	movq	(%rsp), %rsp
	addq	$8, %rsp
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	popq	%rbp
	ret
	.size	function_begin_hook, . - function_begin_hook

/* A function returns here instead of to its caller, whose address function_ends() answers. */
	.globl	function_end_hook
	.hidden	function_end_hook
	.type	function_end_hook, @function
function_end_hook:
	subq	$8, %rsp		/* for the caller's address */
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%rax
	pushq	%rdx
	andq	$-16, %rsp
	call	function_ends
	movq	%rax, 8(%rbp)
	movq	-8(%rbp), %rax
	movq	-16(%rbp), %rdx
	movq	%rbp, %rsp
	popq	%rbp
	ret
	.size	function_end_hook, . - function_end_hook

#endif
	.section .note.GNU-stack, "", @progbits
