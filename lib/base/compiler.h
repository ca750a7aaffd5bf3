// Attributes and hints for the compiler, beyond C11. Knows nothing of the allocator.
#ifndef HAK_BASE_COMPILER_H
#define HAK_BASE_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HAK_LIKELY(x) __builtin_expect(!!(x), 1)
#define HAK_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define HAK_INLINE static inline __attribute__((always_inline))
#define HAK_NOINLINE __attribute__((noinline))
#define HAK_COLD __attribute__((cold, noinline))
#define HAK_NORETURN __attribute__((noreturn))
#define HAK_PRINTF(string, first) __attribute__((format(printf, string, first)))
#define HAK_PUBLIC __attribute__((visibility("default")))
// For variables declared in headers: the code reaches them directly, not through the global offset table.
#define HAK_INTERNAL __attribute__((visibility("hidden")))
#define HAK_TLS __thread __attribute__((tls_model("initial-exec")))
// Reads memory that is not its own; address sanitizers do not look.
#define HAK_READS_ANYTHING __attribute__((no_sanitize("address")))
#define HAK_CACHE_LINE 64
#define HAK_ALIGNED(n) __attribute__((aligned(n)))
// A function of the fast path starts at a cache line; otherwise its speed depends on the code before it.
#define HAK_LINE_START HAK_ALIGNED(HAK_CACHE_LINE)

// The checked build has the debug ring, every counter and the assertions. The compiler always sees both branches of
// `if (HAK_CHECKED)`; the release build drops the dead one.
#ifndef HAK_CHECKED
#define HAK_CHECKED 0
#endif

// The explored build is a checked one whose waits, system calls and steps belong to explore/.
#ifndef HAK_EXPLORED
#define HAK_EXPLORED 0
#endif

#endif
