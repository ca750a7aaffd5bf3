// A private directory in which every watched process keeps its debug ring: DIR/PID.ring (HAKMEM_RING_FILE). It is
// removed at the end; if this process is killed, another process removes it.
// Thread-safety: none needed. Errors: ring_dir_make returns false after a message; the others do what they can.
#ifndef HAKSTRESS_RING_DIR_H
#define HAKSTRESS_RING_DIR_H

#include "observe/ring.h"

#include <stdbool.h>
#include <sys/types.h>

struct ring_dir {
    char path[224];  // the option that names a file in it has 256 bytes
    pid_t remover;
    int lifeline;  // the remover waits for its end
    // Of processes that were not started with this directory: where each has the address of its ring. 0: unknown.
    uint64_t pointer_at;
    // A process that has changed its root or its user cannot open its file, and keeps its ring in its memory. This is
    // the library whose symbols tell where; NULL: files only.
    const char* library;
};

// A copy of a ring. It does not change when the process writes on, and does not need the file.
struct ring_copy {
    HakRingFile* ring;  // without magic: there was none
    size_t bytes;
    uint64_t address;  // in the process, if it was read from its memory; else 0
};

// For a process that was started without a directory, and those that it forks. Their rings are read from their memory;
// where it is, the symbols of the library tell. False: it has none.
bool ring_dir_of_process(struct ring_dir* dir, pid_t process, const char* library);
// `library` is kept.
bool ring_dir_make(struct ring_dir* dir, const char* library);
void ring_dir_remove(struct ring_dir* dir);

// `process` is a process, even one that is gone, or a thread of a living one. In the latter case, the number that the
// process has in its own PID namespace is tried, too.
bool ring_dir_has(const struct ring_dir* dir, pid_t process);
void ring_dir_read(const struct ring_dir* dir, pid_t process, struct ring_copy* copy);
// Only the head, which is small. Returns false, and 0 everywhere, if there is no ring.
bool ring_dir_read_head(const struct ring_dir* dir, pid_t process, HakRingFile* head);
// How many records all threads of the process have ever written; 0: it has no ring.
uint64_t ring_dir_events(const struct ring_dir* dir, pid_t process);

// What a process of the directory has noted of its own crash (observe/crash_note.h). It waits a moment for an answer.
struct noted_crash {
    bool noted;       // all of it
    uint32_t answer;  // CRASH_UNSEEN and so on
    int signal;
};
struct noted_crash ring_dir_noted_crash(const struct ring_dir* dir, pid_t process);
void ring_dir_answer_crash(const struct ring_dir* dir, pid_t process, uint32_t answer);
// The same process as this one numbers it, if it lives and can be looked at; otherwise 0.
pid_t ring_dir_living(const struct ring_dir* dir, pid_t process);
// What the copy has of it, even if it is not complete; NULL: nothing.
const CrashRecord* ring_copy_crash(const struct ring_copy* copy);

void ring_dir_forget(const struct ring_dir* dir, pid_t process);
void ring_copy_free(struct ring_copy* copy);

// Calls `found` for each process that has a ring.
void ring_dir_each(const struct ring_dir* dir, void (*found)(void* context, pid_t process), void* context);

#endif
