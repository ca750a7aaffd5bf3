// What an exiting process never freed, grouped by the place of the allocation, from the records of guard mode
// (superslab/guard_record.h).
// Thread-safety: none needed. Errors: records that cannot be read are left out.
#ifndef HAKSTRESS_LEAKS_H
#define HAKSTRESS_LEAKS_H

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

// `thread` is a stopped thread of the process; `root` is the address of its HakGuardRoot,
// `stacks` that of its hak_stack_table. Blocks allocated before
// `since`, a clock value as in the ring, belong to a parent. The C++ library's emergency pool is left out.
// Returns {blocks, bytes, sites: [{blocks, bytes, at, called_from}]}, the most bytes first. NULL: there are no records.
json_t* leaks_read(pid_t thread, uint64_t root, uint64_t stacks, uint64_t since);

#endif
