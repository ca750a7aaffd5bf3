// Stacks that were met before, by where they begin. A program that allocates in a loop has the same frames at the same
// place each time. Then it is enough to look whether the words by which the walk went on are unchanged.
//
//   entry, one for each hash of pc and sp:  pc, sp | number of the stack | place and value of each word read
//
// A walk is a function of its first registers and of the words that it reads, as long as the code stays the same.
// Only walks are kept that need nothing but plain rules and the stack of the calling thread. An entry is written when
// the same pc and sp come a second time.
// A library that is closed leaves its walks behind, as in rules_cache.h. If another one is loaded there, and the same
// words lie on the stack, a walk may give the old stack.
// Thread-safety: any thread, and signal handlers. An entry that is in use is passed over.
// Errors: none.
#ifndef HAK_STACK_STACK_MEMO_H
#define HAK_STACK_STACK_MEMO_H

#include "stack/registers.h"
#include "stack/stack_table.h"

// 0: not known.
StackNumber stack_memo_find(Registers start);
// `addresses`: what the walk from there gave. full: it ended at the depth that was asked for.
void stack_memo_learn(Registers start, const uintptr_t* addresses, uint32_t count, bool full, StackNumber number);

#endif
