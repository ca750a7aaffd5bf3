// How many blocks of the processes under `hakstress run --pages` had pages of their own.
// Thread-safety: none needed. Errors: a process that cannot be read is not counted.
#ifndef HAKSTRESS_PAGE_COVERAGE_H
#define HAKSTRESS_PAGE_COVERAGE_H

#include "report/page_view.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct page_coverage {
    size_t processes;
    struct page_counts counts;
    bool by_guards;  // closed without a mapping for each
};

// Adds what a process has counted. `thread` is a stopped thread of it; `root` is the address of its HakGuardRoot.
void page_coverage_add(struct page_coverage* coverage, pid_t thread, uint64_t root);
json_t* page_coverage_json(const struct page_coverage* coverage);
// "run: pages of their own covered 98.7 % of 780,950 blocks in 2 processes, ..."
void page_coverage_print(const struct page_coverage* coverage, FILE* out);

#endif
