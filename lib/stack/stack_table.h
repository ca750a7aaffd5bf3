// The table of distinct stacks: each has a number, the same stack always the same one. The memory is mapped when the
// first stack is noted. With HAKMEM_STACK_FILE it is a file, which another process can read, even after this one has
// ended; otherwise it is private.
//
//   HakStackTable | index                     | words
//   4 KiB         | 4 B a place, 0: free      | 1 | head | address | address | ... | head | address | ...
//                                               '   ' number of this stack: the index of its head in `words`
//
//   head: | hash of the addresses: 63..32 | how many: 31..0 |     addresses: return addresses, the innermost first
//   place of a stack in the index: hash % places, or one of the next ones
//
// A stack is never changed once its number is in the index, and its number is nowhere before that.
// The child of a fork reads its parent's table as it was. When it notes its first stack, it begins a table of its own
// with a copy of the parent's: numbers given before the fork keep their meaning. It writes nothing into its parent's
// file. A copy of the process made without the fork handlers (_Fork, clone) may share the table with its parent.
// Thread-safety: any thread and signal handlers, no lock; but while one thread maps the table, the others get 0.
// Errors: the number 0 if there is no memory or no room; counted (stack_lost). errno is kept.
#ifndef HAK_STACK_STACK_TABLE_H
#define HAK_STACK_STACK_TABLE_H

#include "base/atomic.h"

typedef uint32_t StackNumber;  // 0: none

#define HAK_STACK_MAGIC UINT64_C(0x314b43415448414b)
#define HAK_STACK_VERSION 1u

enum { HAK_STACK_PLACES = 1 << 20, HAK_STACK_WORDS = 1 << 25 };

typedef struct {
    _Atomic uint64_t magic;  // written last
    uint32_t version;
    uint32_t pid;
    uint32_t places;          // of the index
    uint32_t words;           // that there is room for
    _Atomic uint64_t used;    // words
    _Atomic uint64_t ready;   // words that the file system has room for
    _Atomic uint64_t stacks;  // how many
    _Atomic uint64_t lost;    // how often there was no room for one
    uint8_t pad[4096 - 56];   // to 4096 bytes
} HakStackTable;

// The table; NULL: no stack was noted yet. Another process that reads this one's memory begins here.
extern HAK_INTERNAL _Atomic(HakStackTable*) hak_stack_table;

// Walks (to the depth of HAKMEM_STACK_DEPTH, as stack_here) and stores.
StackNumber stack_note(const void* frame, uintptr_t pc);
// The same, faster where the same stacks come again and again.
StackNumber stack_note_again(const void* frame, uintptr_t pc);
// Stores a stack that is known.
StackNumber stack_store(const uintptr_t* addresses, uint32_t count);
// The addresses of a stack, at most `most`; returns how many.
uint32_t stack_read(StackNumber number, uintptr_t* out, uint32_t most);

// In the child of a fork, for its one thread.
void stack_table_after_fork(void);

#endif
