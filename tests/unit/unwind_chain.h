// A chain of calls whose return addresses are known. unwind_chain.c is compiled with different options for CHAIN.
#ifndef TESTS_UNWIND_CHAIN_H
#define TESTS_UNWIND_CHAIN_H

typedef void ChainEnd(void* argument);

// Each calls `end` through several functions of its own: one with a stack of variable size, one that aligns its stack,
// one that calls itself `depth` times.
void chain_without_frame_pointers(ChainEnd* end, void* argument, unsigned depth);
void chain_with_frame_pointers(ChainEnd* end, void* argument, unsigned depth);
// Frame pointers only: this code has no unwind tables.
void chain_without_tables(ChainEnd* end, void* argument, unsigned depth);

// How many functions of the chain lie between `end` and the caller.
enum { CHAIN_LENGTH = 4 };

#endif
