#include "leaks/memory_scan.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { PAGE = 4096, PIECE = 1 << 18, PAGES_AT_ONCE = 512, WORD = sizeof(uint64_t) };

void memory_scan_open(struct memory_scan* scan, const struct process_memory* memory) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/pagemap", (int)memory->pid);
    scan->memory = memory;
    scan->pagemap = open(path, O_RDONLY | O_CLOEXEC);
}

void memory_scan_close(struct memory_scan* scan) {
    if (scan->pagemap >= 0) close(scan->pagemap);
    scan->pagemap = -1;
}

void memory_scan_words(const struct memory_scan* scan, const uint64_t* words, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (words[i] - scan->low < scan->high - scan->low) scan->word(scan->context, words[i]);
}

static bool scan_piece(const struct memory_scan* scan, uint64_t from, uint64_t end) {
    static uint64_t words[PIECE / WORD];
    if (!process_memory_read(scan->memory, from, words, end - from)) return false;
    memory_scan_words(scan, words, (end - from) / WORD);
    return true;
}

static void scan_pieces(const struct memory_scan* scan, uint64_t from, uint64_t end) {
    for (uint64_t next; from < end; from = next) {
        next = end - from > PIECE ? from + PIECE : end;
        if (scan_piece(scan, from, next)) continue;
        for (uint64_t page; from < next; from = page) {
            page = (from | (PAGE - 1)) + 1;
            if (page > next) page = next;
            scan_piece(scan, from, page);
        }
    }
}

// Is the page of interest? `entry` is that of the page in pagemap.
static bool is_wanted(uint64_t entry, enum scan_pages which) {
    const uint64_t present = UINT64_C(3) << 62, of_file = UINT64_C(1) << 61;
    return (entry & present) != 0 && (which != SCAN_WRITTEN || (entry & of_file) == 0);
}

// Pages [first, first + count), of which `entries` tells; the range may begin and end inside of a page.
static void scan_pages(const struct memory_scan* scan, uint64_t from, uint64_t end, const uint64_t* entries,
                       enum scan_pages which) {
    uint64_t first = from / PAGE, last = (end - 1) / PAGE;
    for (uint64_t page = first, next; page <= last; page = next) {
        bool wanted = is_wanted(entries[page - first], which);
        next = page + 1;
        while (next <= last && is_wanted(entries[next - first], which) == wanted) next++;
        uint64_t start = page * PAGE, stop = next * PAGE;
        if (wanted) scan_pieces(scan, start < from ? from : start, stop > end ? end : stop);
    }
}

void memory_scan_range(const struct memory_scan* scan, uint64_t from, uint64_t end, enum scan_pages which) {
    uint64_t entries[PAGES_AT_ONCE];
    from = (from + WORD - 1) / WORD * WORD;
    end = end / WORD * WORD;
    for (uint64_t next; from < end; from = next) {
        next = (from / PAGE + PAGES_AT_ONCE) * PAGE;
        if (next > end) next = end;
        size_t bytes = ((next - 1) / PAGE - from / PAGE + 1) * sizeof *entries;
        bool known = which != SCAN_ALL && scan->pagemap >= 0 &&
                     pread(scan->pagemap, entries, bytes, (off_t)(from / PAGE * sizeof *entries)) == (ssize_t)bytes;
        if (known)
            scan_pages(scan, from, next, entries, which);
        else
            scan_pieces(scan, from, next);
    }
}
