#include "runtime/race.h"

#include "runtime/limit.h"

#include <sys/mman.h>

// A record: run:24 | when:16 | mask:8 | flags:8 | thread:8. Records of other runs count as empty.
enum {
    THREAD_BITS = 8,
    FLAGS_SHIFT = 8,
    MASK_SHIFT = 16,
    WHEN_SHIFT = 24,
    RUN_SHIFT = 40,
    RECORDS = 4,
    OVERFLOW_RECORDS = 32,
    OVERFLOWS = 1024,
    RUNS = 1 << 24,
};
#define KIND_MASK UINT64_C(0xffffff)  // thread, flags, mask

typedef struct {
    uint64_t record[RECORDS];
} Cell;

enum { CELLS_MOST = TRACKED_BYTES / 8 };

static Cell* cells;
uint64_t* race_line_users;
uint64_t race_user;
static uint64_t run, line_run;  // tags of the run, in records and in race_line_users

static struct {
    uint64_t offset, run;
    uint32_t count;
    uint64_t record[OVERFLOW_RECORDS];
} overflow[OVERFLOWS];

void race_start(void) {
    cells = memory_reserve(sizeof(Cell) * CELLS_MOST);
    race_line_users = memory_reserve(sizeof(uint64_t) * LINES);
}

void race_begin_run(void) {
    static uint64_t number;
    if (++number == RUNS) {
        madvise(cells, sizeof(Cell) * CELLS_MOST, MADV_DONTNEED);
        for (int i = 0; i < OVERFLOWS; i++) overflow[i].run = 0;
        number = 1;
    }
    run = number << RUN_SHIFT;
    line_run += UINT64_C(1) << USER_RUN_SHIFT;
}

void race_set_user(unsigned thread, uint16_t when) {
    race_user = line_run | (uint64_t)thread << USER_THREAD_SHIFT | when;
}

bool race_line_changes_user(uint64_t line, const Clock* clock, bool* becomes) {
    uint64_t last = race_line_users[line];
    unsigned user = (unsigned)(last >> USER_THREAD_SHIFT & 0xff),
             now = (unsigned)(race_user >> USER_THREAD_SHIFT & 0xff);
    bool of_this_run = (last ^ line_run) >> USER_RUN_SHIFT == 0;
    bool meet = of_this_run && user != now && (uint16_t)last > (*clock)[user];
    race_line_users[line] = race_user;
    if (!meet && (memory_lines[line] & LINE_IS_READ) == 0) return false;
    *becomes = (memory_lines[line] & LINE_IS_WRITTEN) != 0;
    memory_lines[line] |= *becomes ? LINE_IS_EXACT : LINE_IS_READ;
    return *becomes;
}

static bool is_of_this_run(uint64_t record) {
    return (record ^ run) >> RUN_SHIFT == 0;
}

static uint8_t mask_of(uint64_t record) {
    return (uint8_t)(record >> MASK_SHIFT);
}

static unsigned flags_of(uint64_t record) {
    return (unsigned)(record >> FLAGS_SHIFT & 0xff);
}

static unsigned thread_of(uint64_t record) {
    return (unsigned)(record & 0xff);
}

static uint16_t when_of(uint64_t record) {
    return (uint16_t)(record >> WHEN_SHIFT);
}

// The places of a cell's records: its own, then those of its overflow cell.
static uint64_t* more_records(uint64_t offset, uint32_t** count) {
    size_t at = (size_t)((offset >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 54);
    for (size_t tried = 0; tried < OVERFLOWS; tried++, at = (at + 1) % OVERFLOWS) {
        if (overflow[at].run != run) {
            overflow[at].run = run;
            overflow[at].offset = offset;
            overflow[at].count = 0;
        }
        if (overflow[at].offset != offset) continue;
        *count = &overflow[at].count;
        return overflow[at].record;
    }
    return NULL;
}

static bool conflicts(uint64_t earlier, uint8_t mask, unsigned flags) {
    unsigned both = flags_of(earlier) & flags, any = flags_of(earlier) | flags;
    return (mask_of(earlier) & mask) && (any & ACCESS_WRITE) && !(both & ACCESS_ATOMIC);
}

// Whether what may race with `earlier` also races with `mine`, which it happened before.
static bool covers(uint64_t mine, uint64_t earlier) {
    if (mask_of(earlier) & ~mask_of(mine)) return false;
    unsigned flags = flags_of(mine), other = flags_of(earlier);
    if ((flags & ACCESS_ATOMIC) && !(other & ACCESS_ATOMIC)) return false;
    if (flags & ACCESS_WRITE) return true;
    return !(other & ACCESS_WRITE) && thread_of(mine) == thread_of(earlier);
}

// Goes through `count` records. Removes those that `mine` covers and returns how many are left.
static uint32_t compare(uint64_t* records, uint32_t count, uint64_t mine, const Clock* clock, Race* race) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t earlier = records[i];
        bool before = thread_of(earlier) == thread_of(mine) || when_of(earlier) <= (*clock)[thread_of(earlier)];
        if (!before && conflicts(earlier, mask_of(mine), flags_of(mine)))
            *race =
                (Race){true, (uint8_t)thread_of(earlier), (uint8_t)flags_of(earlier), mask_of(earlier) & mask_of(mine)};
        if (!before || !covers(mine, earlier)) records[kept++] = earlier;
    }
    return kept;
}

static Race access_slowly(Cell* cell, uint64_t offset, uint64_t mine, const Clock* clock) {
    Race race = {false, 0, 0, 0};
    uint32_t count = 0, *more_count = NULL;
    while (count < RECORDS && is_of_this_run(cell->record[count])) count++;
    bool full = count == RECORDS;
    uint32_t kept = compare(cell->record, count, mine, clock, &race);
    uint64_t* more = full ? more_records(offset, &more_count) : NULL;
    if (more) *more_count = compare(more, *more_count, mine, clock, &race);
    if (kept < RECORDS) {
        cell->record[kept++] = mine;
        // A cell that is not full has no overflow cell.
        while (more && kept < RECORDS && *more_count) cell->record[kept++] = more[--*more_count];
        if (more && kept < RECORDS) *more_count = 0;
        for (; kept < count; kept++) cell->record[kept] = 0;
    } else if (more && *more_count < OVERFLOW_RECORDS) {
        more[(*more_count)++] = mine;
    } else {
        run_meets_limit("more accesses of one word than are kept, so a race may be missed");
    }
    return race;
}

Race race_access(uint64_t offset, uint8_t mask, unsigned flags, unsigned thread, const Clock* clock) {
    Cell* cell = &cells[offset >> 3];
    uint64_t mine = run | (uint64_t)(*clock)[thread] << WHEN_SHIFT | (uint64_t)mask << MASK_SHIFT |
                    (uint64_t)flags << FLAGS_SHIFT | thread;
    uint64_t first = cell->record[0];
    if (first == mine) return (Race){false, 0, 0, 0};
    // The usual case: nobody else, and the same kind of access as before.
    if (!is_of_this_run(first) || (((first ^ mine) & KIND_MASK) == 0 && !is_of_this_run(cell->record[1]))) {
        cell->record[0] = mine;
        return (Race){false, 0, 0, 0};
    }
    return access_slowly(cell, offset, mine, clock);
}
