// The verdict of a crash report, rule by rule, on synthetic facts.
#include "guard/guard_faults.h"
#include "report/hidden_text.h"
#include "report/verdict.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

static CrashRecord record;
static struct check_message check;
static struct story story;
static struct heap_place place;
static struct procmaps maps;
static struct verdict_facts facts;

#define PC 0x1100u
#define STACK 0x7ff000800000u

// An access to 0x700000001000 that is not mapped, by code that is.
static int plain_fault(void** state) {
    (void)state;
    static const char text[] = "1000-2000 r-xp 00000000 fe:00 42 /usr/bin/program\n"
                               "7ff000800000-7ff000900000 rw-p 00000000 00:00 0 [stack]\n";
    memset(&record, 0, sizeof record);
    story = (struct story){.tie = TIE_NONE};
    place = (struct heap_place){.kind = HEAP_FOREIGN};
    record.signal = SIGSEGV;
    record.code = SEGV_MAPERR;
    record.fault_address = 0x700000001000;
#if defined(__x86_64__)
    record.registers[REG_RIP] = PC;
    record.registers[REG_RSP] = STACK + 0x100;
    record.registers[REG_TRAPNO] = 14;
#endif
    if (!procmaps_parse(&maps, text, sizeof text - 1)) return -1;
    facts = (struct verdict_facts){.record = &record, .maps = &maps, .story = &story, .place = &place};
    return 0;
}

static int release(void** state) {
    (void)state;
    procmaps_free(&maps);
    return 0;
}

static void expect(const char* rule, const char* culprit, const char* words) {
    json_t* verdict = verdict_make(&facts);
    assert_string_equal(json_string_value(json_object_get(verdict, "rule")), rule);
    assert_string_equal(json_string_value(json_object_get(verdict, "culprit")), culprit);
    const char* cause = json_string_value(json_object_get(verdict, "cause"));
    if (strstr(cause, words) == NULL) fail_msg("'%s' is not in: %s", words, cause);
    assert_true(json_array_size(json_object_get(verdict, "evidence")) > 0);
    json_decref(verdict);
}

static void say(const char* name, const char* site) {
    snprintf(check.check, sizeof check.check, "%s", name);
    snprintf(check.site, sizeof check.site, "%s", site);
    snprintf(check.line, sizeof check.line, "hakmem: check=%s site=%s the block at 0x1234", name, site);
    facts.check = &check;
}

static void drained(uint32_t change) {
    story.tie = TIE_LINK;
    story.change = change;
    story.site = change_site(change);
    story.slab = 52;
    story.blocks = 5;
    story.drainer = (struct who){.thread = 3, .os_tid = 1003};
    story.owner = (struct who){.thread = 1, .os_tid = 1001};
}

static void link_of(uint64_t link) {
    story.has_link = true;
    story.block = 0x73b00000;
    story.link = link;
    record.fault_address = link;
}

static void expect_evidence(const char* words) {
    json_t* verdict = verdict_make(&facts);
    json_t* evidence = json_object_get(verdict, "evidence");
    bool found = false;
    for (size_t i = 0; i < json_array_size(evidence); i++)
        found = found || strstr(json_string_value(json_array_get(evidence, i)), words) != NULL;
    if (!found) fail_msg("'%s' is not in the evidence", words);
    json_decref(verdict);
}

static void an_access_is_no_function(void** state) {
    (void)state;
    say("use_after_free", "read");
    expect_evidence("check use_after_free, at a read: ");
    say("overflow", "access");
    expect_evidence("check overflow, at an access: ");
    say("double_free", "free");
    expect_evidence("check double_free in free: ");
}

static void a_program_is_told_what_it_did(void** state) {
    (void)state;
    static const char* const told[][2] = {
        {"double_free", "freed a block twice"},
        {"invalid_free", "live block of this allocator"},
        {"interior_free", "into the middle of a block"},
        {"mismatched_free", "a function that does not match"},
        {"wrong_size", "a size that is not the block's"},
        {"overflow", "past the end of a block"},
        {"underflow", "before the start of a block"},
        {"write_after_free", "after it was freed"},
        {"use_after_free", "used a block after it was freed"},
        {"link", "into a freed block"},
    };
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        say(told[i][0], "free");
        expect("program_check", "program", told[i][1]);
    }
}

static void a_check_in_the_workload_is_the_allocator_s_fault(void** state) {
    (void)state;
    facts.workload = "larson";
    say("double_free", "free");
    expect("program_check", "allocator", "please report it");
    say("payload", "larson");
    expect("other_check", "allocator", "handed out twice");
    drained(2);
    expect("other_check", "missing change", "change 2 (alloc_superslab)");
    say("double_free", "free");
    expect("program_check", "missing change", "change 2 (alloc_superslab)");
}

static void other_checks_are_the_allocator_s_own(void** state) {
    (void)state;
    say("tls_sll", "guard");
    expect("other_check", "allocator", "own invariant broke: please report it");
    say("heap", "guard");
    expect("other_check", "unknown", "wrote into memory that it does not own");
    facts.workload = "larson";
    expect("other_check", "allocator", "own invariant broke");
    say("memory", "larson");
    expect("other_check", "outside", "no memory");
}

static void the_ownership_check_names_the_change(void** state) {
    (void)state;
    say("ownership", "mmap_gate");
    expect("ownership_check", "missing change", "change 6 (mmap_gate)");
    drained(6);
    story.tie = TIE_CHECK;
    expect("ownership_check", "missing change", "thread 3 was about to drain slab 52 of thread 1");
    say("ownership", "drain");
    story = (struct story){.tie = TIE_NONE};
    expect("ownership_check", "allocator", "please report it");
}

static void a_followed_link_with_a_drain_is_the_missing_change(void** state) {
    (void)state;
    facts.workload = "larson";
    for (uint32_t change = 1; change <= 6; change++) {
        drained(change);
        link_of(0x6261);
        expect("followed_link", "missing change", change_site(change));
    }
}

static void a_followed_link_without_a_drain_depends_on_whose_program_it_is(void** state) {
    (void)state;
    link_of(0x6261);
    story.block_was_free = true;
    expect("followed_link", "program", "after it was freed");
    facts.workload = "larson";
    expect("followed_link", "allocator", "on a free list at the same time");
}

static void text_as_an_address(void** state) {
    (void)state;
    record.fault_address = 0x6f6c6c6568;
    expect("text_address", "program", "text was used");
    record.fault_address = 0x6261;
    facts.workload = "larson";
    expect("text_address", "allocator", "free-list link");
    drained(4);
    expect("text_address", "missing change", "change 4 (hot)");
}

static void a_drain_elsewhere_is_told_with_care(void** state) {
    (void)state;
    drained(1);
    story.tie = TIE_LATEST;
    expect("foreign_drain", "missing change", "change 1 (superslab_refill)");
}

static void near_zero(void** state) {
    (void)state;
    record.fault_address = 0x18;
    expect("null", "program", "null pointer");
}

static void the_kernel_s_half(void** state) {
    (void)state;
    record.fault_address = UINT64_C(0xffff900012345678);
    expect("kernel_address", "unknown", "negative number");
}

static void a_purged_place(void** state) {
    (void)state;
    place = (struct heap_place){.kind = HEAP_FREE_SLAB, .in_window = true, .slab = 70, .superslab = 2, .purged = true};
    expect("freed_memory", "program", "your code read a block after it was freed, or where no block is");
    expect_evidence("'hakstress run --guard' tells which block it was");
    facts.workload = "larson";
    expect("freed_memory", "allocator", "please report it");
}

static void before_a_block(void** state) {
    (void)state;
    facts.behind = record.fault_address + 8;
    facts.behind_is_near = true;
    expect("underflow", "program", "before the start of a block");
    facts.behind = record.fault_address + 1000;
    facts.behind_is_near = false;
    expect("underflow", "program", "before the start of a block");
    place = (struct heap_place){.kind = HEAP_FREE_SLAB, .in_window = true, .slab = 70, .superslab = 2, .purged = true};
    expect("freed_memory", "program", "after it was freed, or where no block is");
}

static void damage_that_fills_a_gap(void** state) {
    (void)state;
    say("overflow", "free");
    strcat(check.line, "; " GUARD_OR_UNDERFLOW " the 48-byte block 0x1230 behind it");
    expect("program_check", "program", "past the end of a block, or before the start of the next one");
}

static void blocks_of_two_allocators(void** state) {
    (void)state;
    static struct crossed_block crossed;
    crossed = (struct crossed_block){CROSSED_TO_LIBC, "free", 0x73b00000, 0, "block 5 of slab 52"};
    facts.crossed = &crossed;
    record.fault_address = 0x18;
    expect("crossed_block", "program", "given to the C library's free");
    facts.workload = "larson";
    expect("null", "unknown", "null pointer");
    facts.workload = NULL;
    crossed.block = 0;
    expect("crossed_block", "program", "or its own heap is damaged");
    say("invalid_free", "free");
    crossed = (struct crossed_block){CROSSED_FROM_LIBC, "free", 0x55550010, 0x70, "[heap]"};
    expect("crossed_block", "program", "a block of the C library's malloc");
    crossed.crossing = CROSSED_FROM_OTHER;
    expect("crossed_block", "program", "a block of another malloc");
    crossed.crossing = CROSSED_NOT;
    expect("program_check", "program", "live block of this allocator");
}

static void who_called_abort(void** state) {
    (void)state;
    record.signal = SIGABRT;
    record.code = SI_TKILL;
    facts.has_ring = true;
    json_t* backtrace =
        json_pack("[{s:s}, {s:s}, {s:s}]", "symbol", "abort", "symbol", "std::terminate()", "symbol", "__cxa_throw");
    facts.backtrace = backtrace;
    expect("caller_of_abort", "program", "a C++ exception was not caught");
    json_array_remove(backtrace, 2);
    expect("caller_of_abort", "program", "std::terminate was called");
    json_array_remove(backtrace, 1);
    expect("other_signal", "unknown", "called abort() itself");
    json_decref(backtrace);
}

static void signals_that_were_sent(void** state) {
    (void)state;
    record.code = SI_USER;
    record.sender = 42;
    expect("sender", "outside", "from outside");
    record.signal = SIGABRT;
    record.code = SI_TKILL;
    expect("other_signal", "unknown", "assertion");
}

static void arithmetic_and_unknown_instructions(void** state) {
    (void)state;
    record.signal = SIGFPE;
    record.code = FPE_INTDIV;
    expect("instruction", "program", "arithmetic");
    record.signal = SIGILL;
    record.code = ILL_ILLOPN;
    expect("instruction", "program", "an invalid instruction");
}

static void ends_without_a_record(void** state) {
    (void)state;
    facts.record = NULL;
    facts.place = NULL;
    facts.died_of = SIGKILL;
    expect("death", "outside", "killed from outside");
    facts.died_of = SIGSEGV;
    facts.handler_died = true;
    expect("death", "unknown", "nothing is known about the crash");
    facts.died_of = 0;
    facts.living = "hang";
    expect("hang", "unknown", "the program waits");
    json_t* circle = json_pack("[s, s]", "thread 1 waits for the mutex 0x10, which thread 2 holds", "thread 2 waits");
    facts.deadlock = circle;
    expect("hang", "program", "a deadlock: threads wait for each other's locks");
    facts.deadlock = NULL;
    json_decref(circle);
    facts.living = "timeout";
    expect("hang", "unknown", "the program had not ended");
    facts.living = "asked";
    expect("hang", "nobody", "a report was asked for");
    facts.living = "hang";
    facts.workload = "larson";
    expect("hang", "unknown", "a deadlock between threads");
    drained(5);
    expect("hang", "missing change", "change 5 (bench)");
    facts.stopped = true;
    expect("hang", "outside", "stopped by a signal");
}

static void anything_else(void** state) {
    (void)state;
    expect("other_signal", "unknown", "not mapped");
}

#if defined(__x86_64__)
static void pointers_that_are_no_address(void** state) {
    (void)state;
    record.code = SI_KERNEL;
    record.fault_address = 0;
    record.registers[REG_TRAPNO] = 13;
    record.registers[REG_RDI] = UINT64_C(0x6867666564636261);
    expect("impossible_address", "program", "text was used as a pointer");
    record.registers[REG_RDI] = UINT64_C(0x0101010101010101) * HIDDEN_POISON;
    expect("impossible_address", "program", "from freed memory");
    record.registers[REG_RDI] = UINT64_C(0x9000111122223333);
    expect("impossible_address", "program", "damaged pointer");
    record.signal = SIGBUS;  // through rbp or rsp
    expect("impossible_address", "program", "damaged pointer");
    drained(3);
    expect("impossible_address", "missing change", "change 3 (sticky)");
}

static void a_link_of_a_free_block(void** state) {
    (void)state;
    facts.link_key = 0x6123456789abcdef;
    facts.heap_start = 0x700000000000;
    facts.heap_end = 0x700000200000;
    record.code = SI_KERNEL;
    record.fault_address = 0;
    record.registers[REG_RAX] = 0x700000100040 - facts.link_key;
    expect("impossible_address", "program", "read from freed memory");
    facts.heap_end = 0x700000100000;
    expect("impossible_address", "program", "a damaged pointer was dereferenced");
}

static void a_poisoned_address(void** state) {
    (void)state;
    record.fault_address = UINT64_C(0x01010101) * HIDDEN_POISON + 0x100000000u * HIDDEN_POISON;
    expect("poison_address", "program", "from freed memory");
}

static void an_address_from_a_new_block(void** state) {
    (void)state;
    record.fault_address = UINT64_C(0x0101010101) * HIDDEN_FILL + 24;
    expect("poison_address", "program", "from a new block: your code used it before it wrote it");
    record.fault_address = 0;
    record.code = SI_KERNEL;
    record.registers[REG_RAX] = UINT64_C(0x0101010101010101) * HIDDEN_FILL;
    expect("impossible_address", "program", "from a new block: your code used it before it wrote it");
}

static void closed_memory_with_records(void** state) {
    (void)state;
    static struct block_record held;
    place = (struct heap_place){.kind = HEAP_FREE_SLAB, .in_window = true, .slab = 70, .superslab = 2, .mapped = true};
    facts.has_records = true;
    expect("closed_memory", "program", "where no block is");
    facts.held = &held;
    held.block = record.fault_address - 5000;
    store_relaxed(&held.record.word, guard_word(HAK_GUARD_FREE, HAK_GUARD_MALLOC, 6000));
    expect("closed_memory", "program", "block after it was freed");
    store_relaxed(&held.record.word, guard_word(HAK_GUARD_LIVE, HAK_GUARD_MALLOC, 0));
    expect("closed_memory", "program", "your code read from a block of zero bytes");
    store_relaxed(&held.record.word, guard_word(HAK_GUARD_LIVE, HAK_GUARD_MALLOC, 4096));
    expect("closed_memory", "program", "past the end of a block");
    facts.workload = "larson";
    expect("freed_memory", "allocator", "please report it");
}

static void the_stack_used_up(void** state) {
    (void)state;
    record.registers[REG_RSP] = STACK - 0x20;
    record.fault_address = STACK - 0x28;
    expect("stack", "program", "stack overflow");
}

static void a_jump_to_nowhere(void** state) {
    (void)state;
    record.registers[REG_RIP] = record.fault_address = 0x700000001000;
    expect("execution", "program", "an address without code");
    record.registers[REG_RIP] = record.fault_address = STACK + 0x200;
    record.registers[REG_ERR] = 0x14;
    record.code = SEGV_ACCERR;
    expect("execution", "program", "an address without code");
}

static void writes_are_told_from_reads(void** state) {
    (void)state;
    place = (struct heap_place){.kind = HEAP_FREE_UNIT, .in_window = true, .superslab = 2};
    record.registers[REG_ERR] = 0x6;
    expect("freed_memory", "program", "your code wrote into a block after it was freed, or where no block is");
}

static void a_page_of_its_own(void** state) {
    (void)state;
    static const struct {
        enum page_kind kind;
        const char *read, *write;
    } told[] = {
        {PAGE_AFTER_FREE, "your code read a block after it was freed",
         "your code wrote into a block after it was freed"},
        {PAGE_BEHIND, "your code read past the end of a block", "your code wrote past the end of a block"},
        {PAGE_BEFORE, "your code read before the start of a block", "your code wrote before the start of a block"},
        {PAGE_EMPTY, "your code read from a block of zero bytes", "your code wrote into a block of zero bytes"},
    };
    struct page_fault page = {.block = 0x700000001000, .size = 16};
    facts.page = &page;
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        page.kind = told[i].kind;
        record.registers[REG_ERR] = 0x4;
        expect("page", "program", told[i].read);
        record.registers[REG_ERR] = 0x6;
        expect("page", "program", told[i].write);
    }
    page.kind = PAGE_NOTHING;
    expect("other_signal", "unknown", "not mapped");
}
#endif

#define CASE(name) cmocka_unit_test_setup_teardown(name, plain_fault, release)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_program_is_told_what_it_did),
        CASE(an_access_is_no_function),
        CASE(a_check_in_the_workload_is_the_allocator_s_fault),
        CASE(before_a_block),
        CASE(damage_that_fills_a_gap),
        CASE(blocks_of_two_allocators),
        CASE(who_called_abort),
        CASE(other_checks_are_the_allocator_s_own),
        CASE(the_ownership_check_names_the_change),
        CASE(a_followed_link_with_a_drain_is_the_missing_change),
        CASE(a_followed_link_without_a_drain_depends_on_whose_program_it_is),
        CASE(text_as_an_address),
        CASE(a_drain_elsewhere_is_told_with_care),
        CASE(near_zero),
        CASE(the_kernel_s_half),
        CASE(a_purged_place),
        CASE(signals_that_were_sent),
        CASE(arithmetic_and_unknown_instructions),
        CASE(ends_without_a_record),
        CASE(anything_else),
#if defined(__x86_64__)
        CASE(pointers_that_are_no_address),
        CASE(a_link_of_a_free_block),
        CASE(a_poisoned_address),
        CASE(an_address_from_a_new_block),
        CASE(closed_memory_with_records),
        CASE(the_stack_used_up),
        CASE(a_jump_to_nowhere),
        CASE(writes_are_told_from_reads),
        CASE(a_page_of_its_own),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
