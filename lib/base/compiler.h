// What the compiler is told beyond C11. Knows nothing of the allocator.
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
// For variables declared in headers: reached directly, not through the table for names that another library may define.
#define HAK_INTERNAL __attribute__((visibility("hidden")))
#define HAK_TLS __thread __attribute__((tls_model("initial-exec")))
#define HAK_CACHE_LINE 64
#define HAK_ALIGNED(n) __attribute__((aligned(n)))
// A function of the fast path starts with a line of the instruction cache, or its speed depends on what stands before it.
#define HAK_LINE_START HAK_ALIGNED(HAK_CACHE_LINE)

// The checked build carries the debug ring, every counter and the assertions. Both branches of
// `if (HAK_CHECKED)` are always compiled; the release build drops the dead one.
#ifndef HAK_CHECKED
#define HAK_CHECKED 0
#endif

#endif
