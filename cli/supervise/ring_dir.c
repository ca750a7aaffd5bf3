#include "supervise/ring_dir.h"

#include "base/error.h"
#include "binary/symbol.h"
#include "process/proc_status.h"
#include "process/process_memory.h"
#include "process/procmaps.h"
#include "report/rings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECORDS_MOST = 1 << 20, ROOM_WANTED_MIB = 512, PATH_BYTES = 256 + 16 };

// Choosing the directory

// Free MiB; -1: cannot be written to.
static long room_in(const char* directory) {
    struct statvfs system;
    if (directory == NULL || *directory == '\0' || access(directory, W_OK | X_OK) != 0 ||
        statvfs(directory, &system) != 0)
        return -1;
    return (long)(system.f_bavail * system.f_frsize >> 20);
}

// The first with enough space, else the one with the most: /dev/shm may be tiny in containers.
static const char* choose_place(void) {
    const char* const places[] = {"/dev/shm", getenv("TMPDIR"), "/tmp"};
    const char* best = "/tmp";
    long most = -1;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        long room = room_in(places[i]);
        if (room <= most || strlen(places[i]) > sizeof((struct ring_dir*)NULL)->path - 32) continue;
        best = places[i];
        most = room;
        if (room >= ROOM_WANTED_MIB) break;
    }
    return best;
}

// Removal

static void remove_all(const char* path) {
    DIR* stream = opendir(path);
    if (stream == NULL) return;  // already removed
    for (struct dirent* entry; (entry = readdir(stream)) != NULL;) unlinkat(dirfd(stream), entry->d_name, 0);
    closedir(stream);
    rmdir(path);  // if a process has just made another file, an empty directory is left
}

// Ignores the terminal's signals, and keeps nothing open whose end somebody may wait for.
static void remove_when_cut(const char* path, int lifeline) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd <= STDERR_FILENO; fd++) dup2(null, fd);
    char byte;
    while (read(lifeline, &byte, 1) < 0 && errno == EINTR) {}
    remove_all(path);
    _exit(0);
}

static bool start_remover(struct ring_dir* dir) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    dir->remover = fork();
    if (dir->remover == 0) {
        close(ends[1]);
        remove_when_cut(dir->path, ends[0]);
    }
    close(ends[0]);
    dir->lifeline = ends[1];
    if (dir->remover > 0) return true;
    close(ends[1]);
    return false;
}

bool ring_dir_make(struct ring_dir* dir, const char* library) {
    dir->library = library;
    snprintf(dir->path, sizeof dir->path, "%s/hakstress-XXXXXX", choose_place());
    if (mkdtemp(dir->path) == NULL) {
        missing_error("cannot make a directory for the debug rings: %s: %s", dir->path, strerror(errno));
        return false;
    }
    if (start_remover(dir)) return true;
    missing_error("cannot start a process: %s", strerror(errno));
    rmdir(dir->path);
    return false;
}

void ring_dir_remove(struct ring_dir* dir) {
    if (dir->path[0] == '\0') return;
    remove_all(dir->path);
    close(dir->lifeline);
    while (waitpid(dir->remover, NULL, 0) < 0 && errno == EINTR) {}
}

// Names

static void name_of(const struct ring_dir* dir, pid_t process, char* out) {
    snprintf(out, PATH_BYTES, "%s/%d.ring", dir->path, (int)process);
}

// The process's own number: the last one of the line "NStgid: 4711 12".
static pid_t own_number(pid_t process) {
    long long number = proc_status(process, "NStgid");
    return number > 0 ? (pid_t)number : process;
}

// The path of its ring, if there is one.
static bool has_file(const struct ring_dir* dir, pid_t process, char* path) {
    if (dir->path[0] == '\0') return false;
    name_of(dir, process, path);
    if (access(path, F_OK) == 0) return true;
    name_of(dir, own_number(process), path);
    return access(path, F_OK) == 0;
}

void ring_dir_forget(const struct ring_dir* dir, pid_t process) {
    char path[PATH_BYTES];
    if (dir->path[0] == '\0') return;
    name_of(dir, process, path);
    unlink(path);  // many processes have none
}

void ring_dir_each(const struct ring_dir* dir, void (*found)(void* context, pid_t process), void* context) {
    DIR* stream = opendir(dir->path);
    if (stream == NULL) return;
    for (struct dirent* entry; (entry = readdir(stream)) != NULL;) {
        int process = 0, end = 0;
        bool is_ring = sscanf(entry->d_name, "%d.ring%n", &process, &end) == 1 && end > 0;
        if (is_ring && entry->d_name[end] == '\0') found(context, process);
    }
    closedir(stream);
}

// Reading

// The file is mostly holes; reading one through a mapping would fill it.
static bool copy_data(int fd, struct ring_copy* copy) {
    for (off_t at = 0, end; (at = lseek(fd, at, SEEK_DATA)) >= 0; at = end) {
        end = lseek(fd, at, SEEK_HOLE);
        if (end < 0 || (size_t)end > copy->bytes) return false;
        for (off_t done = at; done < end;) {
            ssize_t got = pread(fd, (char*)copy->ring + done, (size_t)(end - done), done);
            if (got <= 0) return false;
            done += got;
        }
    }
    return errno == ENXIO;  // no more data
}

// The process can write to its ring, on purpose or not, so nothing in it may lead out of the copy.
static bool is_sound(const struct ring_copy* copy) {
    HakRingFile* ring = copy->ring;
    bool power_of_two = ring->records != 0 && (ring->records & (ring->records - 1)) == 0;
    if (load_relaxed(&ring->magic) != HAK_RING_MAGIC || ring->version != HAK_RING_VERSION ||
        ring->slots != HAK_RING_SLOTS || !power_of_two || hak_ring_bytes(ring->records) != copy->bytes ||
        ring->slot_bytes != sizeof(HakRingSlot) + (size_t)ring->records * sizeof(HakRingRecord))
        return false;
    ring->last_words[sizeof ring->last_words - 1] = ring->first_passed[sizeof ring->first_passed - 1] = '\0';
    CrashRecord* crash = hak_ring_crash(ring);
    if (crash->stack_bytes > sizeof crash->stack) crash->stack_bytes = sizeof crash->stack;
    if (crash->maps_bytes > sizeof crash->maps) crash->maps_bytes = sizeof crash->maps;
    return true;
}

// Rings in memory

// Where the process has the address of its ring; 0: the library is not loaded there.
static uint64_t find_pointer(pid_t process, const char* library) {
    struct procmaps maps;
    uint64_t value = 0, base = 0;
    if (library == NULL || !procmaps_read(&maps, process)) return 0;
    for (size_t i = maps.count; i-- > 0;)
        if (strcmp(maps.mappings[i].path, library) == 0 && maps.mappings[i].offset == 0) base = maps.mappings[i].start;
    procmaps_free(&maps);
    return base != 0 && elf_symbol(library, "ring_file", &value) ? base + value : 0;
}

bool ring_dir_of_process(struct ring_dir* dir, pid_t process, const char* library) {
    *dir = (struct ring_dir){.lifeline = -1, .pointer_at = find_pointer(process, library)};
    return dir->pointer_at != 0;
}

// Its address in the process; 0: it has none. With a directory, a process that has not started a ring of its own since
// it was forked may still know that of its parent.
static uint64_t address_of(const struct process_memory* memory, const struct ring_dir* dir, HakRingFile* head) {
    uint64_t address = 0, at = dir->pointer_at != 0 ? dir->pointer_at : find_pointer(memory->pid, dir->library);
    bool known = at != 0 && process_memory_read(memory, at, &address, sizeof address) && address != 0 &&
                 process_memory_read(memory, address, head, sizeof *head) &&
                 load_relaxed(&head->magic) == HAK_RING_MAGIC && head->version == HAK_RING_VERSION;
    if (known && dir->path[0] != '\0') known = (pid_t)head->pid == own_number(memory->pid);
    return known ? address : 0;
}

static bool has_in_memory(const struct ring_dir* dir, pid_t process, HakRingFile* head) {
    struct process_memory memory;
    process_memory_open(&memory, process);
    bool has = address_of(&memory, dir, head) != 0;
    process_memory_close(&memory);
    return has;
}

static bool read_from_memory(const struct ring_dir* dir, pid_t process, struct ring_copy* copy) {
    struct process_memory memory;
    HakRingFile head;
    process_memory_open(&memory, process);
    uint64_t address = address_of(&memory, dir, &head);
    size_t bytes = address != 0 && head.records <= RECORDS_MOST ? hak_ring_bytes(head.records) : 0;
    void* room = bytes > 0
                     ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                     : MAP_FAILED;
    bool sound = false;
    if (room != MAP_FAILED) {
        *copy = (struct ring_copy){room, bytes, address};
        sound = process_memory_read(&memory, address, room, bytes) && is_sound(copy);
        if (!sound) ring_copy_free(copy);
    }
    process_memory_close(&memory);
    return sound;
}

static bool read_ring(const char* path, struct ring_copy* copy) {
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return false;
    void* memory = MAP_FAILED;
    if (fstat(fd, &status) == 0 && status.st_size >= (off_t)sizeof(HakRingFile))
        memory = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                      -1, 0);
    bool sound = false;
    if (memory != MAP_FAILED) {
        *copy = (struct ring_copy){.ring = memory, .bytes = (size_t)status.st_size};
        sound = copy_data(fd, copy) && is_sound(copy);
        if (!sound) ring_copy_free(copy);
    }
    close(fd);
    return sound;
}

bool ring_dir_has(const struct ring_dir* dir, pid_t process) {
    char path[PATH_BYTES];
    HakRingFile head;
    return has_file(dir, process, path) || has_in_memory(dir, process, &head);
}

void ring_dir_read(const struct ring_dir* dir, pid_t process, struct ring_copy* copy) {
    static HakRingFile none;
    char path[PATH_BYTES];
    bool sound = has_file(dir, process, path) ? read_ring(path, copy) : read_from_memory(dir, process, copy);
    if (!sound) *copy = (struct ring_copy){.ring = &none};
}

bool ring_dir_read_head(const struct ring_dir* dir, pid_t process, HakRingFile* head) {
    char path[PATH_BYTES];
    int fd = has_file(dir, process, path) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    bool sound = fd < 0 ? has_in_memory(dir, process, head)
                        : pread(fd, head, sizeof *head, 0) == (ssize_t)sizeof *head &&
                              load_relaxed(&head->magic) == HAK_RING_MAGIC && head->version == HAK_RING_VERSION;
    if (fd >= 0) close(fd);
    if (!sound) memset(head, 0, sizeof *head);
    head->last_words[sizeof head->last_words - 1] = head->first_passed[sizeof head->first_passed - 1] = '\0';
    return sound;
}

uint64_t ring_dir_events(const struct ring_dir* dir, pid_t process) {
    char path[PATH_BYTES];
    HakRingFile head;
    uint64_t events = 0;
    struct ring_copy copy;
    if (!has_file(dir, process, path)) {
        ring_dir_read(dir, process, &copy);
        events = rings_events(copy.ring);
        ring_copy_free(&copy);
        return events;
    }
    if (!ring_dir_read_head(dir, process, &head)) return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    off_t at = (off_t)(sizeof head + HAK_RING_FOREIGN_DRAINS * sizeof(HakForeignDrain));
    for (uint32_t i = 0; fd >= 0 && i < HAK_RING_SLOTS; i++, at += head.slot_bytes) {
        uint64_t written;
        if (pread(fd, &written, sizeof written, at) != (ssize_t)sizeof written) break;
        events += written;
    }
    if (fd >= 0) close(fd);
    return events;
}

// Crashes that processes noted

// Opens the ring, and says where in it the record is. -1: there is none.
static int open_crash(const struct ring_dir* dir, pid_t process, int mode, off_t* at) {
    char path[PATH_BYTES];
    HakRingFile head;
    int fd = has_file(dir, process, path) ? open(path, mode | O_CLOEXEC | O_NOFOLLOW) : -1;
    bool sound = fd >= 0 && pread(fd, &head, sizeof head, 0) == (ssize_t)sizeof head &&
                 load_relaxed(&head.magic) == HAK_RING_MAGIC && head.version == HAK_RING_VERSION &&
                 head.records <= RECORDS_MOST;
    if (sound) *at = (off_t)hak_ring_crash_offset(head.records);
    if (fd >= 0 && !sound) close(fd);
    return sound ? fd : -1;
}

struct noted_crash ring_dir_noted_crash(const struct ring_dir* dir, pid_t process) {
    static CrashRecord start;  // without stack and maps
    off_t at;
    struct noted_crash crash = {.noted = false};
    int fd = open_crash(dir, process, O_RDONLY, &at);
    if (fd < 0) return crash;
    enum { START_BYTES = offsetof(CrashRecord, stack) };
    if (pread(fd, &start, START_BYTES, at) == START_BYTES)
        crash = (struct noted_crash){load_acquire(&start.ready) != 0, load_relaxed(&start.answer), start.signal};
    close(fd);
    return crash;
}

void ring_dir_answer_crash(const struct ring_dir* dir, pid_t process, uint32_t answer) {
    off_t at;
    int fd = open_crash(dir, process, O_RDWR, &at);
    if (fd < 0) return;
    // If this fails, the process waits until its time is over.
    if (pwrite(fd, &answer, sizeof answer, at + (off_t)offsetof(CrashRecord, answer)) < 0) errno = 0;
    close(fd);
}

pid_t ring_dir_living(const struct ring_dir* dir, pid_t process) {
    char path[PATH_BYTES];
    struct procmaps maps;
    bool is_it = false;
    if (!has_file(dir, process, path) || !procmaps_read(&maps, process)) return 0;
    for (size_t i = 0; i < maps.count && !is_it; i++) is_it = strcmp(maps.mappings[i].path, path) == 0;
    procmaps_free(&maps);
    return is_it ? process : 0;
}

const CrashRecord* ring_copy_crash(const struct ring_copy* copy) {
    if (copy->bytes == 0) return NULL;
    const CrashRecord* record = hak_ring_crash(copy->ring);
    return load_acquire(&record->started) != 0 || load_acquire(&record->ready) != 0 ? record : NULL;
}

void ring_copy_free(struct ring_copy* copy) {
    if (copy->bytes > 0) munmap(copy->ring, copy->bytes);
}
