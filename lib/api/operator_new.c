// C++ operators new and delete under their mangled names (Itanium C++ ABI), so that the library needs no C++ runtime.
// When memory runs out, they need functions of libstdc++. They reach these by weak references, or look them up then,
// because libstdc++ may have been loaded by dlopen.
// Limit: without libstdc++, a new-handler that throws bad_alloc throws it through nothrow new too; C cannot catch it.
#include "api/visible.h"
#include "base/text.h"
#include "front/fastpath.h"
#include "front/refuse.h"
#include "guard/guard.h"

#include <dlfcn.h>
#include <hakmem/hakmem.h>
#include <stdlib.h>

typedef void (*NewHandler)(void);
#define GET_NEW_HANDLER "_ZSt15get_new_handlerv"
#define THROW_BAD_ALLOC "_ZSt17__throw_bad_allocv"
__attribute__((weak)) NewHandler get_new_handler(void) __asm__(GET_NEW_HANDLER);
__attribute__((weak)) void throw_bad_alloc(void) __asm__(THROW_BAD_ALLOC);

typedef size_t Alignment;  // std::align_val_t

static void* allocate(const GuardCall* call, size_t size, Alignment alignment) {
    uint32_t found = others();
    if (HAK_UNLIKELY(others_give(found, alignment))) return others_new(found, alignment, size);
    if (guard_on()) return OR_REFUSED(call, size, guard_aligned(call, alignment > 16 ? alignment : 1, size));
    return alignment > 16 ? hak_aligned_alloc(alignment, size) : OR_REFUSED(call, size, fast_malloc(size));
}

// libstdc++'s own function of that name; this library may stand in front of it. NULL: there is no libstdc++.
static void* find_in_runtime(const char* name) {
    // Not called by name: the linker would warn in every static program, where there is no libstdc++.
    void* (*open)(const char*, int) = (void* (*)(const char*, int))dlsym(RTLD_DEFAULT, "dlopen");
    void* runtime = open ? open("libstdc++.so.6", RTLD_NOLOAD | RTLD_LAZY) : NULL;
    if (runtime == NULL) return NULL;
    void* found = dlsym(runtime, name);
    dlclose(runtime);  // whoever loaded it keeps it loaded
    return found;
}

// Finds a function of a runtime that dlopen loaded: in the global scope, or, with RTLD_LOCAL, by its soname. NULL:
// none.
static void* find(const char* name) {
    void* found = dlsym(RTLD_DEFAULT, name);
    return found ? found : find_in_runtime(name);
}

// libstdc++'s nothrow new calls the throwing one, catches what that or its new-handler throws, and then returns NULL.
static bool ask_nothrow(const char* name, size_t size, Alignment alignment, void** block) {
    char tag;
    void* next = find_in_runtime(name);
    if (next == NULL) return false;
    *block = alignment ? ((void* (*)(size_t, Alignment, const void*))next)(size, alignment, &tag)
                       : ((void* (*)(size_t, const void*))next)(size, &tag);
    return true;
}

// As the standard requires: calls the handler until it frees something, or there is none. `nothrow`: the operator's
// name if it is a nothrow one, which then returns NULL.
static HAK_COLD void* allocate_again(const GuardCall* call, size_t size, Alignment alignment, const char* nothrow) {
    NewHandler (*get_handler)(void) = get_new_handler ? get_new_handler : (NewHandler(*)(void))find(GET_NEW_HANDLER);
    void* block;
    if (nothrow && get_handler && get_handler() && ask_nothrow(nothrow, size, alignment, &block)) return block;
    for (;;) {
        NewHandler handler = get_handler ? get_handler() : NULL;
        if (handler == NULL) break;
        handler();
        void* p = allocate(call, size, alignment);
        if (p) return p;
    }
    if (nothrow) return NULL;
    void (*throw_it)(void) = throw_bad_alloc ? throw_bad_alloc : (void (*)(void))find(THROW_BAD_ALLOC);
    if (throw_it) throw_it();
    text_warn("hakmem: operator new: no memory, and no std::__throw_bad_alloc() in this program: abort\n");
    abort();
}

HAK_INLINE void* new_block(const GuardCall* call, size_t size, Alignment alignment, const char* nothrow) {
    void* p = alignment || HAK_CHECKED ? allocate(call, size, alignment) : fast_malloc(size);
    return HAK_LIKELY(p != NULL) ? p : allocate_again(call, size, alignment, nothrow);
}

// While malloc, free or aligned_alloc are not ours.
static HAK_COLD void* new_elsewhere(const GuardCall* call, size_t size, Alignment alignment, const char* nothrow) {
    void* p = allocate(call, size, alignment);
    return p ? p : allocate_again(call, size, alignment, nothrow);
}

HAK_INLINE void delete_block(const GuardCall* call, void* p) {
    if (guard_on())
        guard_free(call, p);
    else
        fast_free(p);
}

HAK_INLINE void delete_sized(const GuardCall* call, void* p, size_t size) {
    if (guard_on())
        guard_free_sized(call, p, size);
    else
        fast_free(p);
}

static HAK_COLD void delete_elsewhere(const GuardCall* call, void* p, Alignment alignment) {
    uint32_t found = others();
    if (!found || !others_free(found, p, alignment)) delete_block(call, p);
}

#define NEW GUARD_CALL("operator new", HAK_GUARD_NEW)
#define NEW_ARRAY GUARD_CALL("operator new[]", HAK_GUARD_NEW_ARRAY)
#define DELETE GUARD_CALL("operator delete", HAK_GUARD_NEW)
#define DELETE_ARRAY GUARD_CALL("operator delete[]", HAK_GUARD_NEW_ARRAY)

// clang-format off
#define DEFINE(type, name, params) \
    type name params; \
    extern __typeof__(name) own##name __attribute__((alias(#name), visibility("hidden"))); \
    HAK_PUBLIC HAK_LINE_START type name params
// Written once, before the program runs. REPLACED: the program has replaced some of the operators that others call; one
// that it did not replace must call those, as the standard says. ELSEWHERE: some of malloc, free and aligned_alloc are
// not ours, or have not been looked up yet.
enum { REPLACED = 1, ELSEWHERE = 2 };
static uint8_t diverted = ELSEWHERE;
#define UNLESS_DIVERTED(replaced, elsewhere) \
    do { if (HAK_UNLIKELY(diverted)) return diverted & REPLACED ? replaced : elsewhere; } while (0)
#define UNLESS_ELSEWHERE(elsewhere) \
    do { if (HAK_UNLIKELY(diverted & ELSEWHERE)) return elsewhere; } while (0)

DEFINE(void*, _Znwm, (size_t n)) {
    UNLESS_ELSEWHERE(new_elsewhere(NEW, n, 0, NULL));
    return new_block(NEW, n, 0, NULL);
}
DEFINE(void*, _Znam, (size_t n)) {
    UNLESS_DIVERTED(_Znwm(n), new_elsewhere(NEW_ARRAY, n, 0, NULL));
    return new_block(NEW_ARRAY, n, 0, NULL);
}
DEFINE(void*, _ZnwmRKSt9nothrow_t, (size_t n, const void* tag)) {
    (void)tag;
    UNLESS_DIVERTED(_Znwm(n), new_elsewhere(NEW, n, 0, "_ZnwmRKSt9nothrow_t"));
    return new_block(NEW, n, 0, "_ZnwmRKSt9nothrow_t");
}
DEFINE(void*, _ZnamRKSt9nothrow_t, (size_t n, const void* tag)) {
    (void)tag;
    UNLESS_DIVERTED(_Znam(n), new_elsewhere(NEW_ARRAY, n, 0, "_ZnamRKSt9nothrow_t"));
    return new_block(NEW_ARRAY, n, 0, "_ZnamRKSt9nothrow_t");
}
DEFINE(void*, _ZnwmSt11align_val_t, (size_t n, Alignment a)) {
    UNLESS_ELSEWHERE(new_elsewhere(NEW, n, a, NULL));
    return new_block(NEW, n, a, NULL);
}
DEFINE(void*, _ZnamSt11align_val_t, (size_t n, Alignment a)) {
    UNLESS_DIVERTED(_ZnwmSt11align_val_t(n, a), new_elsewhere(NEW_ARRAY, n, a, NULL));
    return new_block(NEW_ARRAY, n, a, NULL);
}
DEFINE(void*, _ZnwmSt11align_val_tRKSt9nothrow_t, (size_t n, Alignment a, const void* tag)) {
    (void)tag;
    UNLESS_DIVERTED(_ZnwmSt11align_val_t(n, a), new_elsewhere(NEW, n, a, "_ZnwmSt11align_val_tRKSt9nothrow_t"));
    return new_block(NEW, n, a, "_ZnwmSt11align_val_tRKSt9nothrow_t");
}
DEFINE(void*, _ZnamSt11align_val_tRKSt9nothrow_t, (size_t n, Alignment a, const void* tag)) {
    (void)tag;
    UNLESS_DIVERTED(_ZnamSt11align_val_t(n, a), new_elsewhere(NEW_ARRAY, n, a, "_ZnamSt11align_val_tRKSt9nothrow_t"));
    return new_block(NEW_ARRAY, n, a, "_ZnamSt11align_val_tRKSt9nothrow_t");
}

DEFINE(void, _ZdlPv, (void* p)) {
    UNLESS_ELSEWHERE(delete_elsewhere(DELETE, p, 0));
    delete_block(DELETE, p);
}
DEFINE(void, _ZdaPv, (void* p)) {
    UNLESS_DIVERTED(_ZdlPv(p), delete_elsewhere(DELETE_ARRAY, p, 0));
    delete_block(DELETE_ARRAY, p);
}
DEFINE(void, _ZdlPvm, (void* p, size_t n)) {
    UNLESS_DIVERTED(_ZdlPv(p), delete_elsewhere(DELETE, p, 0));
    delete_sized(DELETE, p, n);
}
DEFINE(void, _ZdaPvm, (void* p, size_t n)) {
    UNLESS_DIVERTED(_ZdaPv(p), delete_elsewhere(DELETE_ARRAY, p, 0));
    delete_sized(DELETE_ARRAY, p, n);
}
DEFINE(void, _ZdlPvRKSt9nothrow_t, (void* p, const void* tag)) {
    (void)tag;
    UNLESS_DIVERTED(_ZdlPv(p), delete_elsewhere(DELETE, p, 0));
    delete_block(DELETE, p);
}
DEFINE(void, _ZdaPvRKSt9nothrow_t, (void* p, const void* tag)) {
    (void)tag;
    UNLESS_DIVERTED(_ZdaPv(p), delete_elsewhere(DELETE_ARRAY, p, 0));
    delete_block(DELETE_ARRAY, p);
}
DEFINE(void, _ZdlPvSt11align_val_t, (void* p, Alignment a)) {
    UNLESS_ELSEWHERE(delete_elsewhere(DELETE, p, a));
    delete_block(DELETE, p);
}
DEFINE(void, _ZdaPvSt11align_val_t, (void* p, Alignment a)) {
    UNLESS_DIVERTED(_ZdlPvSt11align_val_t(p, a), delete_elsewhere(DELETE_ARRAY, p, a));
    delete_block(DELETE_ARRAY, p);
}
DEFINE(void, _ZdlPvmSt11align_val_t, (void* p, size_t n, Alignment a)) {
    UNLESS_DIVERTED(_ZdlPvSt11align_val_t(p, a), delete_elsewhere(DELETE, p, a));
    delete_sized(DELETE, p, n);
}
DEFINE(void, _ZdaPvmSt11align_val_t, (void* p, size_t n, Alignment a)) {
    UNLESS_DIVERTED(_ZdaPvSt11align_val_t(p, a), delete_elsewhere(DELETE_ARRAY, p, a));
    delete_sized(DELETE_ARRAY, p, n);
}
DEFINE(void, _ZdlPvSt11align_val_tRKSt9nothrow_t, (void* p, Alignment a, const void* tag)) {
    (void)tag;
    UNLESS_DIVERTED(_ZdlPvSt11align_val_t(p, a), delete_elsewhere(DELETE, p, a));
    delete_block(DELETE, p);
}
DEFINE(void, _ZdaPvSt11align_val_tRKSt9nothrow_t, (void* p, Alignment a, const void* tag)) {
    (void)tag;
    UNLESS_DIVERTED(_ZdaPvSt11align_val_t(p, a), delete_elsewhere(DELETE_ARRAY, p, a));
    delete_block(DELETE_ARRAY, p);
}
// clang-format on

// Whether the dynamic linker found the function here. The asm keeps the compiler from answering by the name alone.
static bool is_own(const void* found, const void* own) {
    __asm__("" : "+r"(found));
    return found == own;
}
#define IS_OWN(name) is_own((const void*)(uintptr_t)(name), (const void*)(uintptr_t)(own##name))

// With -z initfirst this runs before any other constructor.
__attribute__((constructor)) static void see_what_is_replaced(void) {
    bool own = IS_OWN(_Znwm) && IS_OWN(_Znam) && IS_OWN(_ZdlPv) && IS_OWN(_ZdaPv) && IS_OWN(_ZnwmSt11align_val_t) &&
               IS_OWN(_ZnamSt11align_val_t) && IS_OWN(_ZdlPvSt11align_val_t) && IS_OWN(_ZdaPvSt11align_val_t);
    diverted = (own ? 0 : REPLACED) | (others() ? ELSEWHERE : 0);
}
