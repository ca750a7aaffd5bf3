#include "guard/guard_faults.h"

#include "base/fatal.h"
#include "base/text.h"
#include "front/block.h"
#include "front/life.h"
#include "front/others.h"
#include "os/os.h"
#include "superslab/heap.h"
#include "superslab/page_region.h"

typedef struct {
    char text[160];
} Phrase;

// --- phrases

static Phrase thread_name(uint32_t number) {
    Phrase phrase;
    if (number)
        text_format(phrase.text, sizeof phrase.text, "thread %u", number);
    else
        text_format(phrase.text, sizeof phrase.text, "a thread at its end");
    return phrase;
}

static Phrase this_thread(void) {
    const HakTcb* me = thread_tcb();
    return thread_name(me ? me->number : 0);
}

static uint64_t word_of(const GuardPlace* place) {
    return load_acquire(&place->record->word);  // pairs with the releases in begin, stay, guard_set_state
}

static size_t size_of(const GuardPlace* place) {
    return guard_size(word_of(place));
}

static Phrase allocated(const GuardPlace* place) {
    Phrase phrase;
    text_format(phrase.text, sizeof phrase.text, "allocated by %s at pc %p",
                thread_name(place->record->alloc_thread).text, (void*)(uintptr_t)place->record->alloc_site);
    return phrase;
}

static Phrase freed(const GuardPlace* place) {
    Phrase phrase;
    text_format(phrase.text, sizeof phrase.text, "freed by %s at pc %p", thread_name(place->record->free_thread).text,
                (void*)(uintptr_t)place->record->free_site);
    return phrase;
}

static const char* plural(size_t n) {
    return n == 1 ? "" : "s";
}

// At most 16 bytes, in hexadecimal and as text.
static Phrase shown(GuardDamage damage) {
    enum { MOST = 16 };
    Phrase phrase;
    char text[MOST + 1];
    size_t count = (size_t)(damage.end - damage.first), length = 0, n = 0;
    for (; n < count && n < MOST; n++) {
        unsigned char c = damage.first[n];
        length += text_format(phrase.text + length, sizeof phrase.text - length, "%02x ", c);
        text[n] = (char)(c >= ' ' && c <= '~' ? c : '.');
    }
    text[n] = '\0';
    text_format(phrase.text + length, sizeof phrase.text - length, "\"%s\"%s", text, count > MOST ? "..." : "");
    return phrase;
}

static const char* family_name(HakGuardFamily family) {
    static const char* const names[] = {
        [HAK_GUARD_MALLOC] = "malloc or its like", [HAK_GUARD_NEW] = "new", [HAK_GUARD_NEW_ARRAY] = "new[]"};
    return names[family];
}

// --- damage

// Damage that ends where a live block begins may have come from that block.
static Phrase or_from_behind(const unsigned char* next, GuardDamage damage) {
    Phrase phrase = {""};
    GuardPlace place = guard_place(next);
    bool live = place.record && place.block == (const char*)next && guard_state(word_of(&place)) == HAK_GUARD_LIVE;
    if (live && damage.end == next)
        text_format(phrase.text, sizeof phrase.text, "; " GUARD_OR_UNDERFLOW " the %zu-byte block %p behind it, %s",
                    size_of(&place), (void*)place.block, allocated(&place).text);
    return phrase;
}

void fault_overflow(const char* site, const GuardPlace* place, const unsigned char* next, GuardDamage damage) {
    size_t size = size_of(place), count = (size_t)(damage.end - damage.first);
    size_t behind = (size_t)(damage.first - (const unsigned char*)place->block) - size;
    fatal("overflow", site,
          "your program wrote %zu byte%s past the end of the %zu-byte block %p, beginning %zu byte%s behind it (%s); "
          "the block was %s%s",
          count, plural(count), size, (void*)place->block, behind, plural(behind), shown(damage).text,
          allocated(place).text, or_from_behind(next, damage).text);
}

void fault_before(const char* site, const GuardPlace* place, GuardDamage damage) {
    size_t count = (size_t)(damage.end - damage.first);
    size_t ahead = (size_t)((const unsigned char*)place->block - damage.first);
    fatal(
        "underflow", site,
        "your program wrote %zu byte%s before the start of the %zu-byte block %p, beginning %zu byte%s before it (%s); "
        "the block was %s",
        count, plural(count), size_of(place), (void*)place->block, ahead, plural(ahead), shown(damage).text,
        allocated(place).text);
}

static HAK_NORETURN void fault_underflow(const char* site, const GuardPlace* before, const unsigned char* next,
                                         GuardDamage damage) {
    size_t count = (size_t)(damage.end - damage.first), ahead = (size_t)(next - damage.first);
    GuardPlace place = guard_place(next);
    bool live = place.record && guard_state(word_of(&place)) == HAK_GUARD_LIVE;
    fatal("underflow", site,
          "your program wrote %zu byte%s before the start of the block %p, beginning %zu byte%s before it (%s); the "
          "block was %s; the damage begins %zu bytes behind the end of the %zu-byte block %p, %s",
          count, plural(count), (const void*)next, ahead, plural(ahead), shown(damage).text,
          live ? allocated(&place).text : "not in use",
          (size_t)(damage.first - (unsigned char*)before->block) - size_of(before), size_of(before),
          (void*)before->block, allocated(before).text);
}

// Damage nearer to the next block than to the end of this one came from there.
void fault_canary(const char* site, const GuardPlace* place, size_t bytes) {
    const unsigned char *end = (unsigned char*)place->block + size_of(place),
                        *next = (unsigned char*)place->block + bytes;
    GuardDamage damage = guard_canary_damage(place->block, size_of(place), bytes);
    if (damage.first > end && next - damage.end < damage.first - end) fault_underflow(site, place, next, damage);
    fault_overflow(site, place, next, damage);
}

void fault_poison(const char* site, const GuardPlace* place, size_t skip, size_t bytes) {
    GuardDamage damage = guard_poison_damage(place->block, skip, bytes);
    size_t count = (size_t)(damage.end - damage.first);
    fatal("write_after_free", site,
          "your program wrote %zu byte%s into the %zu-byte block %p after it was freed, beginning %zu bytes from its "
          "start (%s); the block was %s, %s%s",
          count, plural(count), size_of(place), (void*)place->block,
          (size_t)(damage.first - (const unsigned char*)place->block), shown(damage).text, allocated(place).text,
          freed(place).text, or_from_behind((const unsigned char*)place->block + bytes, damage).text);
}

// --- calls

// A thread that is changing the block will soon have written its record.
static HakGuardState settled_state(const GuardPlace* place) {
    enum { TRIES = 1000 };
    for (int i = 0; i < TRIES && guard_state(word_of(place)) == HAK_GUARD_CHANGING; i++) os_yield();
    return guard_state(word_of(place));
}

void fault_dead(const char* check, const GuardCall* call, const GuardPlace* place) {
    HakGuardState state = settled_state(place);
    if (state != HAK_GUARD_QUARANTINED && state != HAK_GUARD_FREE)
        fatal(check, call->function,
              "your program called %s with the %zu-byte block %p in %s at pc %p while another thread freed or "
              "resized it; the block was %s",
              call->function, size_of(place), (void*)place->block, this_thread().text, call->site,
              allocated(place).text);
    fatal(check, call->function,
          "your program called %s with the %zu-byte block %p in %s at pc %p after it was %s; the block was %s",
          call->function, size_of(place), (void*)place->block, this_thread().text, call->site, freed(place).text,
          allocated(place).text);
}

void fault_family(const GuardCall* call, const GuardPlace* place) {
    fatal(
        "mismatched_free", call->function,
        "your program called %s with the %zu-byte block %p, which came from %s; the call was in %s at pc %p; the block "
        "was %s",
        call->function, size_of(place), (void*)place->block, family_name(guard_family(word_of(place))),
        this_thread().text, call->site, allocated(place).text);
}

void fault_size(const GuardCall* call, const GuardPlace* place, size_t size) {
    fatal("wrong_size", call->function,
          "your program called %s with a size of %zu for the %zu-byte block %p in %s at pc %p; the block was %s",
          call->function, size, size_of(place), (void*)place->block, this_thread().text, call->site,
          allocated(place).text);
}

void fault_interior(const GuardCall* call, const GuardPlace* place, const void* p) {
    HakGuardState state = guard_state(word_of(place));
    size_t into = (size_t)((const char*)p - place->block);
    fatal("interior_free", call->function,
          "your program called %s with %p, which points %zu byte%s into the %zu-byte block %p%s; the call was in %s at "
          "pc %p; the block was %s",
          call->function, p, into, into == 1 ? "" : "s", size_of(place), (void*)place->block,
          state == HAK_GUARD_LIVE ? "" : ", a freed one", this_thread().text, call->site, allocated(place).text);
}

// Stacks grow downwards: an address a little above this frame is a caller's local variable.
static const char* kind_of_memory(const void* p, const void* frame) {
    enum { NEAR = 256 << 10 };
    if (p >= frame && (uintptr_t)p - (uintptr_t)frame < NEAR) return "it lies on the thread's stack";
    if (heap_contains(p) || page_region_contains(p)) return "no block of the heap begins there";
    return "it lies outside of the heap: in a variable, in memory mapped by the program, or nowhere";
}

void fault_no_block(const GuardCall* call, const void* p) {
    fatal("invalid_free", call->function,
          "your program called %s with %p, which is no block of this allocator: %s%s; the call was in %s at pc %p%s",
          call->function, p, kind_of_memory(p, call->frame), tag_words(p), this_thread().text, call->site,
          others_words());
}

void fault_twice(const GuardCall* call, const GuardPlace* place) {
    fatal("handed_out_twice", call->function,
          "%s in %s at pc %p was about to give out block %p, which is in use as a block of %zu bytes: the "
          "allocator is at fault, or something damaged it; the block was %s",
          call->function, this_thread().text, call->site, (void*)place->block, size_of(place), allocated(place).text);
}
