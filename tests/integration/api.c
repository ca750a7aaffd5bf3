// The edge cases of the API, one function for each rule. If the C library of the machine differs from what libhakmem
// promises (include/hakmem/hakmem.h), the rule is checked under libhakmem only.
#include "support/family.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

// Hides a value from the compiler.
static size_t opaque(size_t n) {
    volatile size_t same = n;
    return same;
}

static bool aligned(const void* p, size_t align) {
    return ((uintptr_t)p & (align - 1)) == 0;
}

static void expect_refused(const void* p, const char* call) {
    CHECK(p == NULL && errno == ENOMEM, "%s gave %p", call, p);
    errno = 0;
}

static void zero_size_gives_distinct_blocks(void) {
    char* blocks[1000];
    for (size_t i = 0; i < 1000; i++) {
        blocks[i] = t_malloc(opaque(0));
        CHECK(blocks[i] != NULL && aligned(blocks[i], 16), "malloc(0) gave %p", (void*)blocks[i]);
        for (size_t j = 0; j < i; j++) CHECK(blocks[i] != blocks[j], "malloc(0) gave %p twice", (void*)blocks[i]);
    }
    for (size_t i = 0; i < 1000; i++) t_free(blocks[i]);
    void* zeroed = t_calloc(opaque(0), 8);
    void* aligned_block = t_aligned_alloc(64, opaque(0));
    CHECK(zeroed != NULL && aligned_block != NULL && zeroed != aligned_block,
          "calloc(0, 8) gave %p, aligned_alloc(64, 0) %p", zeroed, aligned_block);
    t_free(zeroed);
    t_free(aligned_block);
    t_free(NULL);
}

static void impossible_sizes_are_refused(void) {
    const size_t sizes[] = {(size_t)PTRDIFF_MAX, (size_t)PTRDIFF_MAX + 1, SIZE_MAX,          SIZE_MAX - 1,
                            SIZE_MAX - 15,       SIZE_MAX - 4096,         SIZE_MAX - 2 * MIB};
    char* keep = t_malloc(100);
    memset(keep, 'k', 100);
    errno = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t size = opaque(sizes[i]);
        expect_refused(t_malloc(size), "malloc");
        expect_refused(t_calloc(1, size), "calloc");
        expect_refused(t_calloc(size, 1), "calloc");
        expect_refused(t_realloc(NULL, size), "realloc of NULL");
        expect_refused(t_realloc(keep, size), "realloc");
        expect_refused(t_reallocarray(keep, 1, size), "reallocarray");
        expect_refused(t_aligned_alloc(64, size), "aligned_alloc");
        expect_refused(t_memalign(4096, size), "memalign");
        expect_refused(t_memalign(4 * MIB, size), "memalign 4 MiB");
        expect_refused(t_valloc(size), "valloc");
        expect_refused(t_pvalloc(size), "pvalloc");
        void* out = keep;
        int error = t_posix_memalign(&out, 64, size);
        CHECK(error == ENOMEM && out == keep, "posix_memalign(64, %zu) gave %d, out %p", size, error, out);
    }
    for (size_t i = 0; i < 100; i++) CHECK(keep[i] == 'k', "a realloc that failed changed byte %zu", i);
    t_free(keep);
}

static void overflowing_products_are_refused(void) {
    const size_t pairs[][2] = {{SIZE_MAX / 2 + 1, 2},   {(size_t)1 << 32, (size_t)1 << 32},
                               {SIZE_MAX, SIZE_MAX},    {3, SIZE_MAX / 2},
                               {SIZE_MAX / 16 + 1, 16}, {16, SIZE_MAX / 16 + 2}};
    errno = 0;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        expect_refused(t_calloc(opaque(pairs[i][0]), opaque(pairs[i][1])), "calloc");
        expect_refused(t_reallocarray(NULL, opaque(pairs[i][0]), opaque(pairs[i][1])), "reallocarray");
    }
}

static void calloc_clears_used_memory(void) {
    const size_t sizes[] = {1, 16, 24, 100, 1000, 4096, 10000, 70000, 300000, MIB, 3 * MIB, 17 * MIB};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t size = sizes[i];
        for (int round = 0; round < 3; round++) {
            char* dirty = t_malloc(size);
            memset(dirty, 0xa5, size);
            t_free(dirty);
            char* p = t_calloc(size, 1);
            for (size_t at = 0; at < size; at++) CHECK(p[at] == 0, "calloc(%zu): byte %zu is %d", size, at, p[at]);
            memset(p, 0x5a, size);
            t_free(p);
        }
    }
}

static void realloc_rules(void) {
    char* p = t_realloc(NULL, 40);
    CHECK(p != NULL, "realloc(NULL, 40)");
    memset(p, 'x', 40);
    p = t_realloc(p, 200000);
    for (int i = 0; i < 40; i++) CHECK(p[i] == 'x', "byte %d lost by growth", i);
    p = t_realloc(p, 10);
    for (int i = 0; i < 10; i++) CHECK(p[i] == 'x', "byte %d lost by shrinking", i);
    errno = 0;
    void* nothing = t_realloc(p, opaque(0));
    CHECK(nothing == NULL, "realloc(p, 0) gave %p", nothing);
    // it has freed the block: a million such blocks must not add up
    size_t before = rss_bytes();
    for (int i = 0; i < 1000000; i++) {
        p = t_malloc(64);
        *p = 1;
        nothing = t_realloc(p, opaque(0));
    }
    CHECK(rss_bytes() < before + 8 * MIB, "realloc(p, 0) leaks: RSS went from %zu to %zu", before, rss_bytes());
}

// Guard mode moves every block, so that it can watch the old one.
static void realloc_to_the_same_size_stays(void) {
    const char* guard = getenv("HAKMEM_GUARD");
    bool moves = guard != NULL && strcmp(guard, "0") != 0;
    for (size_t size = 1; size < 300000; size += size < 2000 ? 1 : 997) {
        char* p = t_malloc(size);
        p[size - 1] = 'x';
        char* same = t_realloc(p, size);
        CHECK(moves || same == p, "a block of %zu bytes moved from %p to %p", size, (void*)p, (void*)same);
        CHECK(same[size - 1] == 'x', "the last of %zu bytes was lost", size);
        t_free(same);
    }
}

static void realloc_of_aligned_blocks(void) {
    for (size_t align = 32; align <= 4 * MIB; align *= 2) {
        for (size_t size = 1; size < 400000; size = size * 3 + 7) {
            char* p = t_memalign(align, size);
            CHECK(p != NULL && aligned(p, align), "memalign(%zu, %zu) gave %p", align, size, (void*)p);
            for (size_t i = 0; i < size; i++) p[i] = (char)(i * 7);
            p = t_realloc(p, size * 2 + 5);
            CHECK(p != NULL, "realloc to %zu", size * 2 + 5);
            for (size_t i = 0; i < size; i++)
                CHECK(p[i] == (char)(i * 7), "byte %zu of %zu lost (alignment %zu)", i, size, align);
            t_free(p);
        }
    }
}

static void bad_alignments_are_refused(void) {
    if (!test_is_hakmem()) return;  // glibc 2.36 rounds them up
    const size_t bad[] = {0, 3, 6, 24, 48, 100, 4095, 4097, SIZE_MAX, SIZE_MAX / 2};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        errno = 0;
        void* p = t_aligned_alloc(opaque(bad[i]), 64);
        CHECK(p == NULL && errno == EINVAL, "aligned_alloc(%zu, 64) gave %p", bad[i], p);
    }
}

static void posix_memalign_errors(void) {
    char marker;
    const size_t bad[] = {0, 1, 2, 4, 3, 12, 24, 100, 4095, SIZE_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        void* out = &marker;
        errno = 4711;
        int error = t_posix_memalign(&out, opaque(bad[i]), 64);
        CHECK(error == EINVAL && out == &marker, "posix_memalign(%zu, 64) gave %d, out %p", bad[i], error, out);
        if (test_is_hakmem()) CHECK(errno == 4711, "posix_memalign(%zu, 64) changed errno", bad[i]);
    }
    const size_t large[] = {8, 4096, (size_t)1 << 30, (size_t)1 << 40, (size_t)1 << 62};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        void* out = &marker;
        errno = 4711;
        int error = t_posix_memalign(&out, large[i], opaque(PTRDIFF_MAX));
        CHECK(error == ENOMEM && out == &marker, "posix_memalign(%zu, PTRDIFF_MAX) gave %d, out %p", large[i], error,
              out);
        if (test_is_hakmem()) CHECK(errno == ENOMEM, "posix_memalign(%zu, PTRDIFF_MAX) set errno %d", large[i], errno);
    }
    void* out = &marker;
    int error = t_posix_memalign(&out, (size_t)1 << 30, 64);
    CHECK(error == 0 && aligned(out, (size_t)1 << 30), "posix_memalign(2^30, 64) gave %d, %p", error, out);
    t_free(out);
}

static void memalign_rounds_up(void) {
    const size_t odd[][2] = {{0, 16}, {1, 16}, {3, 16}, {17, 32}, {48, 64}, {100, 128}, {5000, 8192}};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        void* p = t_memalign(opaque(odd[i][0]), 100);
        CHECK(p != NULL && aligned(p, odd[i][1]), "memalign(%zu, 100) gave %p", odd[i][0], p);
        t_free(p);
    }
    errno = 0;
    void* p = t_memalign(opaque(SIZE_MAX), 100);
    CHECK(p == NULL && (errno == EINVAL || errno == ENOMEM), "memalign(SIZE_MAX, 100) gave %p", p);
}

static void every_alignment_at_many_sizes(void) {
    enum { SIZES = 12 };
    for (size_t align = 1; align <= 64 * MIB; align *= 2) {
        char* blocks[SIZES];
        const size_t sizes[SIZES] = {1, 15, 64, 1000, 4096, 5000, 9000, 13000, 20000, 70000, MIB + 1, 3 * MIB};
        for (int i = 0; i < SIZES; i++) {
            blocks[i] = t_aligned_alloc(align, sizes[i]);
            CHECK(blocks[i] != NULL && aligned(blocks[i], align < 16 ? 16 : align), "aligned_alloc(%zu, %zu) gave %p",
                  align, sizes[i], (void*)blocks[i]);
            size_t usable = t_usable_size(blocks[i]);
            CHECK(usable >= sizes[i], "aligned_alloc(%zu, %zu): usable size %zu", align, sizes[i], usable);
            memset(blocks[i], i, sizes[i]);
            blocks[i][usable - 1] = (char)i;
        }
        for (int i = 0; i < SIZES; i++)
            for (size_t at = 0; at < sizes[i]; at++)
                CHECK(blocks[i][at] == i, "aligned_alloc(%zu, %zu): byte %zu overwritten", align, sizes[i], at);
        for (int i = 0; i < SIZES; i++) t_free(blocks[i]);
    }
    void* page = t_valloc(10);
    void* pages = t_pvalloc(5000);
    CHECK(aligned(page, 4096) && aligned(pages, 4096) && t_usable_size(pages) >= 8192, "valloc %p, pvalloc %p", page,
          pages);
    t_free(page);
    t_free(pages);
}

// Aligned blocks must not cost a multiple of what they hold.
static void alignment_wastes_little(void) {
    enum { COUNT = 2000 };
    static char* blocks[COUNT];
    size_t before = rss_bytes();
    for (int i = 0; i < COUNT; i++) {
        blocks[i] = t_memalign(4096, 4096);
        memset(blocks[i], 1, 4096);
    }
    size_t used = rss_bytes() - before;
    CHECK(used < (size_t)COUNT * 4096 * 5 / 2, "%d pages of 4 KiB took %zu bytes", COUNT, used);
    for (int i = 0; i < COUNT; i++) t_free(blocks[i]);
}

static void usable_size_is_usable(void) {
    CHECK(t_usable_size(NULL) == 0, "usable size of NULL is %zu", t_usable_size(NULL));
    for (size_t size = 0; size < 3 * MIB; size += size < 2048 ? 1 : size / 37) {
        char* p = t_malloc(size);
        char* neighbour = t_malloc(size);
        size_t usable = t_usable_size(p);
        CHECK(usable >= size, "malloc(%zu): usable size %zu", size, usable);
        if (test_is_hakmem() && size >= 256)
            CHECK(usable <= size + size / 4 + 4096, "malloc(%zu) holds %zu bytes", size, usable);
        memset(neighbour, 'n', size);
        memset(p, 'p', usable);
        for (size_t i = 0; i < size; i++)
            CHECK(neighbour[i] == 'n', "malloc(%zu): the usable bytes reach the next block", size);
        t_free(p);
        t_free(neighbour);
    }
}

static void free_keeps_errno(void) {
    const size_t sizes[] = {1, 64, 1024, 5000, 40000, 200000, 700000, 2 * MIB, 5 * MIB, 40 * MIB, 300 * MIB};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int round = 0; round < 20; round++) {
            char* p = t_malloc(sizes[i]);
            CHECK(p != NULL, "malloc(%zu)", sizes[i]);
            *p = 1;
            errno = 4711;
            t_free(p);
            CHECK(errno == 4711, "free of %zu bytes set errno", sizes[i]);
        }
    errno = 4711;
    t_free(NULL);
    CHECK(errno == 4711, "free(NULL) set errno");
}

static void sizes_given_to_free_are_hints(void) {
    if (!test_is_hakmem()) return;
#ifdef TEST_LINKED
    void (*free_sized)(void*, size_t) = hak_free_sized;
    void (*free_aligned_sized)(void*, size_t, size_t) = hak_free_aligned_sized;
#else
    void (*free_sized)(void*, size_t) = NULL;
    void (*free_aligned_sized)(void*, size_t, size_t) = NULL;
    void* plain = test_symbol("free_sized");
    void* aligned_one = test_symbol("free_aligned_sized");
    CHECK(plain != NULL && aligned_one != NULL, "free_sized %p, free_aligned_sized %p", plain, aligned_one);
    memcpy(&free_sized, &plain, sizeof free_sized);
    memcpy(&free_aligned_sized, &aligned_one, sizeof free_aligned_sized);
#endif
    for (size_t size = 0; size < 5 * MIB; size = size * 2 + 3) {
        free_sized(t_malloc(size), size);
        free_aligned_sized(t_memalign(256, size), 256, size);
        free_sized(t_realloc(t_malloc(10), size + 1), size + 1);
        free_sized(t_memalign(4096, size), size);
    }
    free_sized(NULL, 10);
    free_aligned_sized(NULL, 64, 10);
}

static void trim_and_statistics(void) {
    char* p = t_malloc(64 * MIB);
    memset(p, 1, 64 * MIB);
    size_t full = rss_bytes();
    t_free(p);
    t_trim(0);
    CHECK(rss_bytes() + 60 * MIB < full, "RSS %zu before, %zu after 64 MiB were freed and trimmed", full, rss_bytes());
#if !defined(TEST_LINKED) && defined(M_MMAP_THRESHOLD)  // not in the malloc.h of each C library
    p = t_malloc(8 * MIB);
    memset(p, 1, 8 * MIB);
    struct mallinfo2 info = mallinfo2();
    CHECK(info.uordblks + info.hblkhd >= 8 * MIB, "8 MiB live, mallinfo2 says %zu + %zu", info.uordblks, info.hblkhd);
    t_free(p);
    FILE* out = tmpfile();
    CHECK(out != NULL, "tmpfile");
    CHECK(malloc_info(0, out) == 0, "malloc_info(0) failed");
    char head[256] = {0};
    rewind(out);
    CHECK(fread(head, 1, sizeof head - 1, out) > 0 && strncmp(head, "<malloc version=", 16) == 0,
          "malloc_info wrote \"%s\"", head);
    CHECK(malloc_info(1, out) != 0, "malloc_info(1) was accepted");
    fclose(out);
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    FILE* sink = tmpfile();
    CHECK(saved >= 0 && sink != NULL && fcntl(fileno(sink), F_SETFL, O_APPEND) == 0,
          "no log");  // the library writes into no other kind of file
    CHECK(dup2(fileno(sink), STDERR_FILENO) >= 0, "stderr cannot be redirected");
    malloc_stats();
    fflush(stderr);
    CHECK(dup2(saved, STDERR_FILENO) >= 0, "stderr cannot be restored");
    close(saved);
    CHECK(lseek(fileno(sink), 0, SEEK_END) > 40, "malloc_stats wrote next to nothing");
    fclose(sink);
#endif
}

static const struct {
    const char* name;
    void (*run)(void);
} rules[] = {
#define RULE(name) \
    { #name, name }
    RULE(zero_size_gives_distinct_blocks),
    RULE(impossible_sizes_are_refused),
    RULE(overflowing_products_are_refused),
    RULE(calloc_clears_used_memory),
    RULE(realloc_rules),
    RULE(realloc_to_the_same_size_stays),
    RULE(realloc_of_aligned_blocks),
    RULE(bad_alignments_are_refused),
    RULE(posix_memalign_errors),
    RULE(memalign_rounds_up),
    RULE(every_alignment_at_many_sizes),
    RULE(alignment_wastes_little),
    RULE(usable_size_is_usable),
    RULE(free_keeps_errno),
    RULE(sizes_given_to_free_are_hints),
    RULE(trim_and_statistics),
};

int main(int argc, char** argv) {
    test_start("api", 0);
    size_t ran = 0;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (argc > 1 && strcmp(argv[1], rules[i].name) != 0) continue;
        rules[i].run();
        test_check_heap();
        test_say("ok %s", rules[i].name);
        ran++;
    }
    CHECK(ran > 0, "no rule is called %s", argv[1]);
    return 0;
}
