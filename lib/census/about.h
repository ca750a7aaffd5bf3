// What the system says of a process: files in /proc, read without malloc.
// Thread-safety: all functions; async-signal-safe.
// Errors: 0, or text of length 0.
#ifndef HAK_CENSUS_ABOUT_H
#define HAK_CENSUS_ABOUT_H

#include "census/census.h"

// Command, uptime, resident bytes. `process` 0: the caller's own.
void about_process(uint32_t process, Census* out);

// /proc/PID/pagemap, to be closed with about_close; -1: it cannot be read.
int about_open_pages(uint32_t process);
// Which of the `count` pages (at most 512) from `address` on are in memory: bit i of bits[i / 64]. False: not known.
bool about_pages(int file, uint64_t address, uint32_t count, uint64_t bits[PAGES_PER_UNIT / 64]);
void about_close(int file);

#endif
