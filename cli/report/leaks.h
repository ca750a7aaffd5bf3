// What a process that comes to its end never freed, by the places that allocated it, from the records that guard mode keeps
// (superslab/guard_record.h).
// Thread-safety: none needed. Errors: records that cannot be read are left out.
#ifndef HAKSTRESS_LEAKS_H
#define HAKSTRESS_LEAKS_H

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

// `thread` is one of the process that is stopped; `root` the address of its HakGuardRoot. Blocks allocated before `since`, a clock
// value as in the ring, are a parent's. The C++ library's emergency pool is left out. Gives {blocks, bytes, sites: [{blocks, bytes, at, called_from}]}, the most bytes first;
// NULL: there are no records.
json_t* leaks_read(pid_t thread, uint64_t root, uint64_t since);

#endif
