#include "thread/link.h"

#include "observe/ring.h"
#include "unit.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t blocks[4][2] __attribute__((aligned(16)));

static void chain_and_follow(void) {
    for (int i = 0; i < 4; i++) link_write(blocks[i], i < 3 ? blocks[i + 1] : NULL);
    for (int i = 0; i < 3; i++) assert_ptr_equal(link_read(blocks[i]), blocks[i + 1]);
    assert_null(link_read(blocks[3]));
}

static void plain(void** state) {
    (void)state;
    link_init(false);
    chain_and_follow();
    assert_true(blocks[0][0] == (uintptr_t)blocks[1]);
    blocks[0][0] = 0x6261;  // what the seed's workload writes: it is followed as it is
    assert_ptr_equal(link_read(blocks[0]), (void*)0x6261);
    blocks[0][0] = 0;  // what a live block begins with in the checked build
    assert_null(link_read(blocks[0]));
}

// A thread's bins start with this head: it leads to no block, before the key is known and after.
static void the_head_that_a_thread_starts_with(void** state) {
    (void)state;
    assert_true(link_is_no_block(link_target(LINK_NEVER)));
    for (int i = 0; i < 64; i++) {
        link_init(i % 2 == 0);
        assert_true(link_is_no_block(link_target(LINK_NEVER)));
    }
}

static void encoded(void** state) {
    (void)state;
    link_init(true);
    chain_and_follow();
    assert_true(blocks[0][0] != (uintptr_t)blocks[1]);
    assert_true(blocks[3][0] != 0 && blocks[3][0] != LINK_NEVER);
    assert_true(link_is_no_block(link_target(link_encode(NULL))));
    assert_null(link_decode(link_encode(NULL), NULL));
    assert_ptr_equal(link_decode(link_to_block(blocks[2]), NULL), blocks[2]);
    assert_true(link_follow(link_to_block(blocks[2]), load_relaxed(&hak_link_key)) == blocks[2][0]);
}

// The bits that a free looks at are those of every link, also of the last one, wherever the heap lies, and of no plain
// pointer, small number, text or cleared word.
static void every_link_looks_free_and_little_else_does(void** state) {
    (void)state;
    static const uint64_t bases[] = {0x10000000, 0x700000000000, 0xffff00000000};
    uintptr_t base = hak_heap.base;
    for (int i = 0; i < 3000; i++) {
        uint64_t block[2] = {0}, near = bases[i % 3] + (uint64_t)i * 0x123450;
        hak_heap.base = bases[i % 3];
        link_init(true);
        block[0] = link_to_block((void*)(uintptr_t)near);
        assert_true(link_looks_free(block));
        link_write(block, NULL);
        assert_true(link_looks_free(block));
        assert_null(link_read(block));
        static const uint64_t usual[] = {0, 1, UINT64_MAX, 0x4141414141414141, 0x700012345678, 0xbff0000000000000};
        for (unsigned j = 0; j < sizeof usual / sizeof *usual; j++) {
            block[0] = usual[j];
            assert_false(link_looks_free(block));
        }
    }
    hak_heap.base = base;
    link_init(false);
    link_write(blocks[0], blocks[1]);
    assert_false(link_looks_free(blocks[0]));
    link_write(blocks[0], NULL);
    assert_false(link_looks_free(blocks[0]));
}

// In a child: reading a damaged link must report it and abort, and not follow it.
static void expect_abort(uint64_t written) {
    pid_t pid = fork();
    if (pid == 0) {
        close(STDERR_FILENO);
        blocks[0][0] = written;
        void* volatile next = link_read(blocks[0]);
        (void)next;
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void stray_writes_are_seen(void** state) {
    (void)state;
    link_init(true);
    // With a random key, one stray value in 2^20 passes. That all four pass the test by chance is out of the question.
    expect_abort(0x6261);
    expect_abort(0);
    expect_abort(UINT64_C(0x4141414141414141));
    expect_abort((uintptr_t)blocks[2] + 8);
}

// The seed's workload writes two bytes and leaves the rest of the link intact. That is noticed with every key.
static void two_bytes_of_text_are_seen(void** state) {
    (void)state;
    for (int i = 0; i < 1000; i++) {
        link_init(true);
        link_write(blocks[0], blocks[1]);
        memcpy(blocks[0], "ab", 2);
        assert_true(link_is_no_block(link_target(blocks[0][0])));
    }
}

// A report names the block of the link that was noted last. So the test of a list's head, which knows no block, must
// not come after it.
static void a_damaged_link_is_noted_with_its_block(void** state) {
    (void)state;
    static char memory[1 << 20] __attribute__((aligned(4096)));
    enum { RECORDS = 1 };
    if (hak_ring_bytes(RECORDS) > sizeof memory) fail();
    hak_ring_attach(memory, RECORDS);
    hak_ring_thread_start(1);
    const HakRingSlot* slot = hak_ring_slot_at(hak_ring_file(), 0);
    link_init(false);
    blocks[0][0] = 0x6261;
    assert_ptr_equal(link_read(blocks[0]), (void*)0x6261);
    assert_int_equal(load_relaxed(&slot->written), 1);
    assert_int_equal(slot->records[0].event, HAK_EVENT_bad_link);
    assert_true(slot->records[0].ptr == (uintptr_t)blocks[0]);
    assert_ptr_equal(link_decode(link_to_block((void*)0x6261), NULL), (void*)0x6261);
    assert_int_equal(load_relaxed(&slot->written), 1);
    hak_ring_thread_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_that_a_thread_starts_with),
        cmocka_unit_test(plain),
        cmocka_unit_test(encoded),
        cmocka_unit_test(every_link_looks_free_and_little_else_does),
        cmocka_unit_test(stray_writes_are_seen),
        cmocka_unit_test(two_bytes_of_text_are_seen),
        cmocka_unit_test(a_damaged_link_is_noted_with_its_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
