#include "record/load.h"

#include "base/error.h"
#include "workload/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool map_file(struct recording* recording, const char* path) {
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool opened = file >= 0 && fstat(file, &status) == 0;
    recording->map = MAP_FAILED;
    if (opened && status.st_size >= RECORD_EVENTS_AT) {
        recording->map_bytes = (size_t)status.st_size;
        recording->map = mmap(NULL, recording->map_bytes, PROT_READ, MAP_SHARED, file, 0);
        opened = recording->map != MAP_FAILED;
    }
    const int error = errno;
    if (file >= 0) close(file);
    if (!opened) missing_error("cannot read %s: %s", path, strerror(error));
    return opened;
}

// The acquire pairs with the release in events_add(): the process may still be running.
static uint64_t sequence_of(const struct record_event* event) {
    return atomic_load_explicit(&event->sequence, memory_order_acquire);
}

// The recorded program may have overwritten its events. Every thread has its number from an event of its own.
static bool makes_sense(const struct record_event* event, size_t room) {
    const bool may_be_none = event->kind == RECORD_REALLOC_TO || event->kind == RECORD_REALLOC_FROM;
    return event->kind >= RECORD_MALLOC && event->kind <= RECORD_REALLOC_TO && event->thread < room &&
           event->align_log2 <= TRACE_ALIGN_MOST &&
           (event->address != 0 ? event->size <= TRACE_SIZE_MOST : may_be_none);
}

static uint64_t last_sequence(const struct record_event* events, size_t room) {
    uint64_t last = 0;
    for (size_t i = 0; i < room; i++) {
        const uint64_t sequence = sequence_of(&events[i]);
        if (sequence > last && sequence <= room) last = sequence;
    }
    return last;
}

static bool put_in_order(struct recording* recording) {
    const struct record_event* events = (const void*)((const char*)recording->map + RECORD_EVENTS_AT);
    const size_t room = (recording->map_bytes - RECORD_EVENTS_AT) / sizeof *events;
    const uint64_t last = last_sequence(events, room);
    recording->events = calloc(last + 1, sizeof *recording->events);
    if (recording->events == NULL) {
        missing_error("out of memory: %zu events were recorded", room);
        return false;
    }
    for (size_t i = 0; i < room; i++) {
        const uint64_t sequence = sequence_of(&events[i]);
        if (sequence != 0 && sequence <= last && makes_sense(&events[i], room))
            recording->events[sequence - 1] = &events[i];
    }
    for (uint64_t i = 0; i < last; i++)
        if (recording->events[i] != NULL) recording->events[recording->count++] = recording->events[i];
    return true;
}

bool recording_load(struct recording* recording, const char* path) {
    *recording = (struct recording){0};
    const char* name = strrchr(path, '/');
    int pid;
    if (name == NULL || sscanf(name, "/%d.%u", &pid, &recording->image) != 2) {
        missing_error("%s is not a file of the recorder", path);
        return false;
    }
    recording->pid = pid;
    if (!map_file(recording, path)) return false;
    if (recording->map == MAP_FAILED) return true;  // the disk was full before the first event
    memcpy(&recording->header, recording->map, sizeof recording->header);
    const bool known = memcmp(recording->header.magic, RECORD_MAGIC, sizeof recording->header.magic) == 0 &&
                       recording->header.event_bytes == sizeof(struct record_event) &&
                       recording->header.command_bytes <= RECORD_COMMAND_MAX;
    if (known && put_in_order(recording)) return true;
    if (!known) missing_error("%s was written by another version of hakstress", path);
    recording_free(recording);
    return false;
}

void recording_free(struct recording* recording) {
    if (recording->map != MAP_FAILED && recording->map != NULL) munmap(recording->map, recording->map_bytes);
    free(recording->events);
    *recording = (struct recording){0};
}
