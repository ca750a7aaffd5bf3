// The events of one program of one process, in their order, as the recorder left them.
// Thread-safety: none. Errors: false after a message.
#ifndef HAKSTRESS_RECORD_LOAD_H
#define HAKSTRESS_RECORD_LOAD_H

#include "record/raw.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct recording {
    pid_t pid;
    unsigned image;  // 0, or 1 after an exec, and so on
    struct record_header header;
    size_t count;
    const struct record_event** events;  // by sequence; events that a thread did not finish are left out
    void* map;
    size_t map_bytes;
};

bool recording_load(struct recording* recording, const char* path);
void recording_free(struct recording* recording);

#endif
