#include "sample/words.h"

#include "base/fatal.h"
#include "base/text.h"
#include "config/options.h"
#include "count/counters.h"
#include "os/os.h"
#include "sample/module.h"
#include "sample/retry.h"
#include "sample/suspect.h"

// --- who tells

static HakLock tells;

// What is told is put together here: the stack of a signal handler may be small.
static char line[LAST_WORDS];

void words_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork) {
    step(&tells, fork);
}

// false: the caller interrupted itself here, or another thread never comes to an end.
static bool begin(void) {
    enum { TRIES = 4000 };
    for (int i = 0; i < TRIES && !hak_lock_is_mine(&tells); i++) {
        if (hak_trylock(&tells)) return true;
        os_wait(i);
    }
    return false;
}

static bool goes_on(void) {
    return hak_option(on_error) != 0;
}

// --- stacks

// Frames of this library come first; the program is not interested.
static uint32_t first_frame(const SampleCall* call) {
    uint32_t first = 0;
    while (first < call->depth && module_is_own(call->pc[first])) first++;
    return first < call->depth ? first : 0;
}

static void* pc_of(const SampleCall* call) {
    return (void*)(call->depth ? call->pc[first_frame(call)] : 0);
}

// A thread without a number of ours has only that of the system.
static uint32_t number_of(const SampleCall* call) {
    return call->thread ? call->thread : call->system_thread;
}

static void put_frame(const char* what, const SampleCall* call, uint32_t frame, uintptr_t pc) {
    CodeModule module = module_of(pc);
    char id[2 * BUILD_ID_BYTES + 1] = "-";
    for (uint32_t i = 0; i < module.id_length; i++) text_format(id + 2 * i, 3, "%02x", (unsigned)module.id[i]);
    size_t length = text_format(
        line, sizeof line, "hakmem: stack=%s thread=%s%u frame=%u pc=%p offset=%p build_id=%s module=%s\n", what,
        call->thread ? "" : "system:", number_of(call), frame, (void*)pc, (void*)module.offset, id, module.path);
    output_write(output_stderr(), line, length < sizeof line ? length : sizeof line - 1);
}

static void put_stack(const char* what, const SampleCall* call) {
    uint32_t first = first_frame(call);
    for (uint32_t i = first; i < call->depth; i++) put_frame(what, call, i - first, call->pc[i]);
}

// The stacks of the block: of its malloc, and of its free if it is not live.
static void put_past(const Slot* slot, bool freed) {
    put_stack("allocated", &slot->allocated);
    if (freed) put_stack("freed", &slot->freed);
}

// --- phrases

static const char* plural(size_t n) {
    return n == 1 ? "" : "s";
}

// "in thread 1 at pc 0x..." and "allocated by thread 1 at pc 0x...": up to four of them in a message.
static const char* did(const char* words, const SampleCall* call) {
    static char text[4][96];
    static unsigned next;
    char* out = text[next++ % 4];
    text_format(out, sizeof text[0], "%s %sthread %u at pc %p", words, call->thread ? "" : "system ", number_of(call),
                pc_of(call));
    return out;
}

static const char* past_of(const Slot* slot, bool freed) {
    static char text[200];
    if (freed)
        text_format(text, sizeof text, "%s, %s", did("allocated by", &slot->allocated), did("freed by", &slot->freed));
    else
        text_format(text, sizeof text, "%s", did("allocated by", &slot->allocated));
    return text;
}

static void tell(const char* format, ...) HAK_PRINTF(1, 2);
static void tell(const char* format, ...) {
    va_list args;
    va_start(args, format);
    text_vformat(line, sizeof line, format, args);
    va_end(args);
    counter_add_shared(HAK_C_sample_faults, 1);
    if (goes_on())
        passing_words(line);
    else
        last_words(line);
}

// After what a call found.
static void end_unless_going_on(void) {
    if (!goes_on()) fatal_abort();
}

// --- calls

static void tell_of_dead(const char* function, const Slot* slot, const SampleCall* call) {
    bool is_free = text_begins(function, "free"), closed = slot_state(slot) != SLOT_CHANGING;
    tell("hakmem: check=%s site=%s your program called %s with the %zu-byte block %p %s %s; the block was %s\n",
         is_free ? "double_free" : "use_after_free", function, function, slot->size, (void*)slot->block,
         did("in", call), closed ? "after it was freed" : "while another thread freed or resized it",
         past_of(slot, closed));
    put_stack("call", call);
    put_past(slot, closed);
}

static void tell_of_interior(const char* function, const void* p, const Slot* slot, const SampleCall* call) {
    bool live = slot_is_live(slot);
    tell("hakmem: check=interior_free site=%s your program called %s with %p, which points %zu bytes into the %zu-byte "
         "block %p%s; the call was %s; the block was %s\n",
         function, function, p, (size_t)((const char*)p - slot->block), slot->size, (void*)slot->block,
         live ? "" : ", a freed one", did("in", call), past_of(slot, !live));
    put_stack("call", call);
    put_past(slot, !live);
}

static void tell_of_none(const char* function, const void* p, const SampleCall* call) {
    tell("hakmem: check=invalid_free site=%s your program called %s with %p, which is no block of this allocator: it "
         "lies between sampled blocks; the call was %s\n",
         function, function, p, did("in", call));
    put_stack("call", call);
}

void words_of_call(const char* function, const void* p, const Slot* slot, const SampleCall* call) {
    if (begin()) {
        if (slot && slot->used && slot->block == p)
            tell_of_dead(function, slot, call);
        else if (slot && slot->used && (size_t)((const char*)p - slot->block) < slot->size)
            tell_of_interior(function, p, slot, call);
        else
            tell_of_none(function, p, call);
        hak_unlock(&tells);
    }
    end_unless_going_on();
}

// --- damage

// At most 16 bytes, in hexadecimal and as text.
static const char* shown(SlotDamage damage) {
    enum { MOST = 16 };
    static char bytes[3 * MOST + MOST + 8];
    char text[MOST + 1];
    size_t length = 0, n = 0;
    for (; n < damage.count && n < MOST; n++) {
        unsigned char c = damage.first[n];
        length += text_format(bytes + length, sizeof bytes - length, "%02x ", (unsigned)c);
        text[n] = (char)(c >= ' ' && c <= '~' ? c : '.');
    }
    text[n] = '\0';
    text_format(bytes + length, sizeof bytes - length, "\"%s\"%s", text, damage.count > MOST ? "..." : "");
    return bytes;
}

void words_of_damage(const char* function, const Slot* slot, SlotDamage damage, const SampleCall* call) {
    const unsigned char* block = (const unsigned char*)slot->block;
    size_t away = damage.before ? (size_t)(block - damage.first) : (size_t)(damage.first - block) - slot->size;
    if (begin()) {
        tell("hakmem: check=%s site=%s your program wrote %zu byte%s %s the %zu-byte block %p, beginning %zu byte%s "
             "%s it (%s); the block was %s\n",
             damage.before ? "underflow" : "overflow", function, damage.count, plural(damage.count),
             damage.before ? "before the start of" : "past the end of", slot->size, (const void*)block, away,
             plural(away), damage.before ? "before" : "behind", shown(damage), past_of(slot, false));
        put_stack("call", call);
        put_past(slot, false);
        hak_unlock(&tells);
    }
    end_unless_going_on();
}

// --- accesses

static void tell_of_access(const Suspect* suspect, const void* address, const char* kind, const SampleCall* access) {
    static const char* const places[] = {"before the start of", "into", "behind the end of"};
    const Slot* slot = &suspect->view->fields;
    tell("hakmem: check=%s site=%s your program used %p, %zu byte%s %s the %zu-byte block %p%s%s; the %s was %s; "
         "the block was %s\n",
         suspect->check, kind, address, suspect->distance, plural(suspect->distance), places[suspect->place],
         slot->size, (void*)slot->block, suspect->unsure ? " or a block that stood here before" : "",
         suspect->freed ? ", after it was freed" : "", kind, did("in", access), past_of(slot, suspect->freed));
    put_stack("access", access);
    put_past(slot, suspect->freed);
}

// Whether the page of the access stays closed until it is told, and until the process ends by it.
static bool stays_closed(const Suspect* suspect, bool* held) {
    if (suspect->open) return false;
    if (goes_on()) return true;
    *held = slot_hold(suspect->slot, suspect->view);
    return *held;
}

static AccessEnd end_of(const Suspect* suspect, const void* address, const SampleCall* access, bool* held) {
    if (suspect->slot == NULL) return ACCESS_FOREIGN;
    if (stays_closed(suspect, held)) return ACCESS_TOLD;
    uintptr_t pc = access->depth ? access->pc[0] : 0;
    switch (retry_advice(pc, address, suspect->open ? slot_view_generation(suspect->view) : 0)) {
    case RETRY_AGAIN: return ACCESS_AGAIN;
    case RETRY_FOREIGN: return ACCESS_FOREIGN;
    default: return ACCESS_TOLD_OPEN;
    }
}

AccessEnd words_of_access(const void* address, AccessKind kind, const SampleCall* access, bool is_end) {
    static const char* const kinds[] = {"access", "read", "write", "execute"};
    bool held = false;
    if (!begin()) return ACCESS_TOLD;
    Suspect suspect = suspect_of(address, access);
    AccessEnd end = end_of(&suspect, address, access, &held);
    bool told = end == ACCESS_TOLD || end == ACCESS_TOLD_OPEN;
    if (told) tell_of_access(&suspect, address, kinds[kind], access);
    if (told && is_end && !goes_on()) return end;
    if (held && suspect.view->state == SLOT_LIVE) slot_checked(suspect.slot);
    hak_unlock(&tells);
    return end;
}
