#include "heap/symbols.h"

#include "args/args.h"
#include "binary/build_id.h"
#include "binary/code.h"
#include "binary/demangle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// --- who only passes a size on

// A name that ends in '*' stands for all that begin so.
static const char* const passing_on[] = {
    "malloc",
    "calloc",
    "realloc",
    "reallocarray",
    "aligned_alloc",
    "memalign",
    "posix_memalign",
    "valloc",
    "pvalloc",
    "strdup",
    "__strdup",
    "strndup",
    "__strndup",
    "asprintf",
    "vasprintf",
    "__vasprintf*",
    "hak_*",
    "__libc_malloc",
    "__libc_calloc",
    "__libc_realloc",
    "xmalloc*",
    "xcalloc*",
    "xrealloc*",
    "xstrdup*",
    "xnmalloc*",
    "xzalloc*",
    "xstrndup*",
    "xmemdup*",
    "xmallocarray*",
    "x2nrealloc*",
    "zmalloc*",
    "zcalloc*",
    "zrealloc*",
    "ztrymalloc*",
    "ztryrealloc*",
    "ztrycalloc*",
    "g_malloc*",
    "g_try_malloc*",
    "g_realloc*",
    "g_slice_alloc*",
    "g_strdup*",
    "safe_malloc*",
    "safe_calloc*",
    "safe_realloc*",
    "mem_alloc*",
    "operator new*",
    "std::*",
    "__gnu_cxx::*",
    "void* std::*",
    "je_*",
    "PyMem_*",
    "PyObject_Malloc",
    "PyObject_Calloc",
    "PyObject_Realloc",
    "_PyMem_*",
    "_PyObject_Malloc",
    "CRYPTO_malloc",
    "CRYPTO_zalloc",
    "CRYPTO_realloc",
    "sqlite3Malloc*",
    "sqlite3DbMalloc*",
    "sqlite3MemMalloc",
    "sqlite3MemRealloc",
    "sqlite3Realloc*",
    "sqlite3DbRealloc*",
    "sqlite3_malloc*",
    "dbMalloc*",
    "ngx_alloc",
    "ngx_calloc",
    "ngx_memalign",
};

static bool matches(const char* pattern, const char* name) {
    size_t length = strcspn(pattern, "*");
    return strncmp(pattern, name, length) == 0 && (pattern[length] == '*' || name[length] == '\0');
}

static bool passes_on(const struct args* args, const char* name) {
    const char* given;
    for (size_t i = 0; i < sizeof passing_on / sizeof passing_on[0]; i++)
        if (matches(passing_on[i], name)) return true;
    for (size_t i = 0; args != NULL && (given = args_given(args, "wrapper", i)) != NULL; i++)
        if (matches(given, name)) return true;
    return false;
}

// --- names

static const char* base_of(const char* path) {
    const char* slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static void add_line(struct heap_frame* frame, const char* name, const struct code_line* at) {
    char plain[1024], file[sizeof at->file];
    snprintf(file, sizeof file, "%s", at->file);
    bool is_plain = demangle(name, plain, sizeof plain);
    frame->lines[frame->line_count++] = (struct heap_line){.function = heap_text(is_plain ? plain : name),
                                                           .linker_name = heap_text(name),
                                                           .file = heap_text(file),
                                                           .line = at->line};
}

static void add_code(struct heap_frame* frame, const struct code* code) {
    const struct code_line* at = &code->at;
    for (size_t i = 0; i < code->inlined_count; i++) {
        add_line(frame, code->inlined[i].function, at);
        at = &code->inlined[i].call;
    }
    if (code->function[0] != '\0') add_line(frame, code->function, at);
}

static void name_frame(struct heap_frame* frame, const struct heap_module* module, bool readable,
                       const struct args* args) {
    static const struct code_line nowhere;
    char place[512];
    struct code code = {.offset = 0};
    bool is_allocator = strncmp(base_of(module->path), "libhakmem", 9) == 0;
    if (readable && code_at_address(module->path, frame->address - 1, &code)) add_code(frame, &code);
    snprintf(place, sizeof place, "%s+0x%" PRIx64, base_of(module->path), frame->address);
    if (frame->line_count == 0) add_line(frame, place, &nowhere);
    for (size_t i = 0; i < frame->line_count; i++)
        frame->lines[i].passes_on = is_allocator || passes_on(args, frame->lines[i].function);
}

static bool is_readable(const struct heap_module* module) {
    char found[BUILD_ID_TEXT_MAX];
    if (module->path[0] != '/') return false;
    if (strcmp(module->build_id, "-") == 0) return true;
    bool has_id = build_id_of_file(module->path, found, sizeof found);
    if (has_id && strcmp(found, module->build_id) == 0) return true;
    fprintf(stderr, "hakstress: %s is %s: its functions have no names here\n", module->path,
            has_id ? "another build now" : "gone");
    return false;
}

void heap_name_frames(struct heap_profile* profile, const struct args* args) {
    for (size_t m = 0; m < profile->module_count; m++) {
        bool readable = is_readable(&profile->modules[m]);
        for (size_t i = 0; i < profile->frame_count; i++)
            if (profile->frames[i].module == m) name_frame(&profile->frames[i], &profile->modules[m], readable, args);
    }
}

size_t heap_first_own(const struct heap_profile* profile, const struct heap_stack* stack) {
    for (size_t i = 0; i < stack->depth; i++) {
        const struct heap_frame* frame = &profile->frames[stack->frames[i]];
        if (!frame->lines[frame->line_count - 1].passes_on) return i;
    }
    return stack->depth > 0 ? stack->depth - 1 : 0;
}
