// What the system says of a process: files in /proc, read without malloc.
// Thread-safety: all functions; async-signal-safe.
// Errors: 0, or text of length 0.
#ifndef HAK_CENSUS_ABOUT_H
#define HAK_CENSUS_ABOUT_H

#include "census/census.h"

// The name of the command, without what a terminal would not print. `process` 0: the caller's own.
void about_command(uint32_t process, char* out, size_t size);
// Command, uptime, resident bytes.
void about_process(uint32_t process, CensusRoom* room, Census* out);

// /proc/PID/pagemap, to be closed with about_close; -1: it cannot be read.
int about_open_pages(uint32_t process);
// Which of the `count` pages (at most 512) from `address` on are in memory: bit i of room->pages[i / 64]. False: not
// known. Those of them that no other process has are certain; of the rest, room->unsure.
bool about_pages(int file, uint64_t address, uint32_t count, CensusRoom* room);
void about_close(int file);
// Bytes in memory of the mappings that begin in the range; UINT64_MAX: not known.
uint64_t about_resident(uint32_t process, CensusRoom* room, uint64_t start, uint64_t end);

#endif
