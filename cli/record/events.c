#include "record/events.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PIECE_FIRST ((size_t)64 << 10)
#define PIECE_MOST ((size_t)1 << 20)
enum { SPARES_MAX = 64, IMAGES_MAX = 100000 };

enum { NEW_PROCESS = 0, OFF = UINT32_MAX };  // generations

struct piece {
    char* base;
    size_t size, used;
};

// The state of one process. A fork clears these pages in the child, which so begins a file of its own.
struct process {
    _Atomic uint32_t generation;
    atomic_flag lock;  // guards the fields up to the blank line
    uint32_t spare_count;
    struct piece spares[SPARES_MAX];  // left over by threads that ended
    uint64_t file_end;
    char path[PATH_MAX];

    _Atomic uint32_t threads;
    _Alignas(64) _Atomic uint64_t sequence;
};

struct self {
    bool busy;
    uint32_t generation, thread;
    size_t next_size;
    struct piece piece;
};

static struct process* process;
static uint32_t generations;  // a child inherits it, so that its generation is a new one
static pthread_key_t thread_end;
static __thread struct self self __attribute__((tls_model("initial-exec")));

static void lock(void) {
    while (atomic_flag_test_and_set_explicit(&process->lock, memory_order_acquire)) sched_yield();
}

static void unlock(void) {
    atomic_flag_clear_explicit(&process->lock, memory_order_release);
}

// Functions of the C library could act on a cancellation in the middle of the program's malloc.

static int open_file(const char* path, int flags) {
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);
}

static void close_file(int file) {
    syscall(SYS_close, file);
}

static bool write_zeros(int file, uint64_t from, size_t size) {
    static const char zeros[4096];
    for (size_t done = 0; done < size; done += sizeof zeros)
        if (syscall(SYS_pwrite64, file, zeros, sizeof zeros, from + done) != (long)sizeof zeros) return false;
    return true;
}

// Allocates the disk space now: if there were none later, writing to a mapped page would be a SIGBUS.
static bool extend(int file, uint64_t from, size_t size) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && from + size > limit.rlim_cur) {
        errno = EFBIG;  // trying it would be a SIGXFSZ
        return false;
    }
    long failed;
    do failed = syscall(SYS_fallocate, file, 0, from, size);
    while (failed != 0 && errno == EINTR);
    return failed == 0 || ((errno == EOPNOTSUPP || errno == ENOSYS) && write_zeros(file, from, size));
}

static void note_stop(int error) {
    int file = open_file(process->path, O_WRONLY);
    if (file < 0) return;
    const int32_t stopped = error;
    syscall(SYS_pwrite64, file, &stopped, sizeof stopped, offsetof(struct record_header, stopped));
    close_file(file);
}

// The directory is gone: hakstress has ended, and nobody needs a message.
static void stop(int error) {
    if (atomic_exchange_explicit(&process->generation, OFF, memory_order_relaxed) == OFF || error == ENOENT) return;
    char line[160];
    int length = snprintf(line, sizeof line,
                          "hakstress record: the recording of process %d ends here: %s; the program goes on\n",
                          (int)getpid(), strerrordesc_np(error));
    syscall(SYS_write, STDERR_FILENO, line, (size_t)length);
    note_stop(error);
}

// The start of a process

static bool write_header(int file) {
    struct record_header header = {.magic = RECORD_MAGIC, .event_bytes = sizeof(struct record_event)};
    int command = open_file("/proc/self/cmdline", O_RDONLY);
    if (command >= 0) {
        long length = syscall(SYS_read, command, header.command, sizeof header.command);
        if (length > 0) header.command_bytes = (uint32_t)length;
        close_file(command);
    }
    return extend(file, 0, RECORD_EVENTS_AT) &&
           syscall(SYS_pwrite64, file, &header, sizeof header, 0) == (long)sizeof header;
}

// A process that has called exec has an older file already.
static int create_file(const char* directory) {
    int file = -1;
    for (int image = 0; image < IMAGES_MAX; image++) {
        snprintf(process->path, sizeof process->path, "%s/%d.%d", directory, (int)getpid(), image);
        file = open_file(process->path, O_RDWR | O_CREAT | O_EXCL);
        if (file >= 0 || errno != EEXIST) break;
    }
    return file;
}

static void start_process(void) {
    const char* directory = getenv(RECORD_DIRECTORY);
    if (directory == NULL || *directory == '\0') {
        atomic_store_explicit(&process->generation, OFF, memory_order_relaxed);
        return;
    }
    int file = create_file(directory);
    bool written = file >= 0 && write_header(file);
    int error = errno;
    if (file >= 0) close_file(file);
    if (!written) {
        stop(error);
        return;
    }
    process->file_end = RECORD_EVENTS_AT;
    atomic_store_explicit(&process->generation, ++generations, memory_order_release);
}

// Pieces

static bool map_new(struct piece* piece, size_t size) {
    void* memory = MAP_FAILED;
    int error;
    lock();
    int file = open_file(process->path, O_RDWR);
    if (file >= 0 && extend(file, process->file_end, size))
        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, (off_t)process->file_end);
    error = errno;
    if (memory != MAP_FAILED) process->file_end += size;
    if (file >= 0) close_file(file);
    unlock();
    if (memory == MAP_FAILED) {
        stop(error);
        return false;
    }
    *piece = (struct piece){.base = memory, .size = size};
    return true;
}

static bool take_spare(struct piece* piece) {
    lock();
    bool found = process->spare_count > 0;
    if (found) *piece = process->spares[--process->spare_count];
    unlock();
    return found;
}

static bool give_spare(const struct piece* piece) {
    if (piece->used == piece->size) return false;
    lock();
    const bool given = process->spare_count < SPARES_MAX;
    if (given) process->spares[process->spare_count++] = *piece;
    unlock();
    return given;
}

static bool take_piece(void) {
    if (self.piece.base != NULL) munmap(self.piece.base, self.piece.size);
    self.piece = (struct piece){0};
    pthread_setspecific(thread_end, &self);  // also for what a thread does in its last destructors
    if (take_spare(&self.piece)) return true;
    if (!map_new(&self.piece, self.next_size)) return false;
    if (self.next_size < PIECE_MOST) self.next_size *= 2;
    return true;
}

static void at_thread_end(void* unused) {
    (void)unused;
    self.busy = true;
    if (self.piece.base != NULL && self.generation == atomic_load(&process->generation)) {
        if (!give_spare(&self.piece)) munmap(self.piece.base, self.piece.size);
        self.piece = (struct piece){0};
    }
    self.busy = false;
}

static void forget_parent(void) {
    memset(process, 0, sizeof *process);
}

// The first call comes before the first thread starts, because starting a thread allocates.
static bool start_once(void) {
    const size_t size = (sizeof *process + 4095) / 4096 * 4096;
    if (process != NULL) return true;
    void* memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || pthread_key_create(&thread_end, at_thread_end) != 0) return false;
    process = memory;
    // The kernel's way sees every kind of fork. Before Linux 4.14 there is only that of the C library.
    return madvise(memory, size, MADV_WIPEONFORK) == 0 || pthread_atfork(NULL, NULL, forget_parent) == 0;
}

static bool has_room(uint32_t generation) {
    return self.generation == generation && self.piece.used < self.piece.size;
}

static bool make_room(void) {
    if (!start_once()) return false;
    lock();
    if (atomic_load_explicit(&process->generation, memory_order_relaxed) == NEW_PROCESS) start_process();
    unlock();
    uint32_t generation = atomic_load_explicit(&process->generation, memory_order_acquire);
    if (generation == OFF) return false;
    if (self.generation != generation) {
        const uint32_t thread = atomic_fetch_add_explicit(&process->threads, 1, memory_order_relaxed);
        self.piece = (struct piece){0};  // it is the parent's, which still writes to it
        self.generation = generation;
        self.thread = thread;
        self.next_size = PIECE_FIRST;
    }
    return self.piece.used < self.piece.size || take_piece();
}

static bool is_ready(void) {
    if (process == NULL) return make_room();
    uint32_t generation = atomic_load_explicit(&process->generation, memory_order_relaxed);
    if (generation == OFF) return false;
    return has_room(generation) || make_room();
}

bool events_enter(void) {
    if (self.busy) return false;
    self.busy = true;
    return true;
}

void events_leave(void) {
    self.busy = false;
}

static uint8_t log2_of(size_t alignment) {
    return alignment > 1 ? (uint8_t)__builtin_ctzl(alignment) : 0;
}

void events_add(enum record_kind kind, const void* address, size_t size, size_t alignment) {
    const int saved = errno;
    if (is_ready()) {
        struct record_event* event = (struct record_event*)(void*)(self.piece.base + self.piece.used);
        self.piece.used += sizeof *event;
        event->address = (uintptr_t)address;
        event->size = size;
        event->thread = self.thread;
        event->kind = (uint8_t)kind;
        event->align_log2 = log2_of(alignment);
        uint64_t sequence = atomic_fetch_add_explicit(&process->sequence, 1, memory_order_acq_rel) + 1;
        atomic_store_explicit(&event->sequence, sequence, memory_order_release);  // pairs with the reader's acquire
    }
    errno = saved;
}
