// What the recorder (preload.c, in the recorded program) leaves for `hakstress record`: one file for each program that
// a process runs, DIR/PID.N. It has a header, then events in any order. An event whose sequence is 0 was not written,
// or only partly.
#ifndef HAKSTRESS_RECORD_RAW_H
#define HAKSTRESS_RECORD_RAW_H

#include <stdatomic.h>
#include <stdint.h>

#define RECORD_DIRECTORY "HAKSTRESS_RECORD_DIR"  // this environment variable switches the recorder on
#define RECORD_MAGIC "hkrawev"

enum record_kind {
    RECORD_MALLOC = 1,
    RECORD_CALLOC,
    RECORD_ALIGNED,
    RECORD_FREE,          // recorded before the free
    RECORD_REALLOC_FROM,  // recorded before the realloc: the old address
    RECORD_REALLOC_TO,    // recorded after it: the new address, 0 if it returned NULL
};

struct record_event {
    uint64_t address;
    uint64_t size;
    uint32_t thread;  // 0, 1, ... in the order of their first events
    uint8_t kind;
    uint8_t align_log2;  // RECORD_ALIGNED
    uint16_t unused;
    _Atomic uint64_t sequence;  // written last, from 1: the order of all events of the process
};

#define RECORD_COMMAND_MAX 1024

struct record_header {
    char magic[8];
    uint32_t event_bytes;
    int32_t stopped;                   // the errno that ended recording early; 0: none
    uint32_t command_bytes;            // length of `command`
    char command[RECORD_COMMAND_MAX];  // as in /proc/PID/cmdline
};

#define RECORD_EVENTS_AT 4096  // where the events begin in the file

#endif
