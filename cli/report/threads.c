#include "report/threads.h"

#include "base/json.h"
#include "base/machine.h"
#include "process/registers.h"
#include "report/rings.h"
#include "report/unwind.h"

#include <dirent.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
static void see_registers(struct thread_seen* seen, const struct user_regs_struct* registers) {
    unsigned long long operation = registers->rsi & 0x7f;  // without the flags
    bool waits = registers->orig_rax == SYS_futex &&
                 (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET || operation == FUTEX_LOCK_PI);
    seen->futex = waits ? registers->rdi : 0;
    seen->pointer = registers->fs_base;
}
#else
static void see_registers(struct thread_seen* seen, const struct user_regs_struct* registers) {
    unsigned long long operation = registers->regs[1] & 0x7f;  // without the flags
    bool waits = registers->regs[8] == SYS_futex &&
                 (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET || operation == FUTEX_LOCK_PI);
    seen->futex = waits ? registers->regs[0] : 0;
}
#endif

static void put_name(json_t* object, pid_t process, pid_t thread) {
    char path[64], name[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/comm", (int)process, (int)thread);
    machine_read_line(path, name, sizeof name);
    if (name[0] != '\0') json_put_text(object, "name", name);
}

// False if the thread ended meanwhile.
static bool see(struct thread_seen* seen, const struct procmaps* maps, pid_t process, bool held) {
    const char* problem = NULL;
    struct user_regs_struct registers;
    json_t* frames = NULL;
    bool ours = held || unwind_hold(seen->os_tid, &problem),
         readable = ours && registers_read(seen->os_tid, &registers);
    if (readable) {
        see_registers(seen, &registers);
        frames = unwind_held(maps, seen->os_tid, &problem);
    } else if (held) {
        problem = "the thread could not be stopped within a second, or was ending";
    }
    if (!held && ours) unwind_let_go(seen->os_tid);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d", (int)process, (int)seen->os_tid);
    DIR* still_there = readable ? NULL : opendir(path);
    if (!readable && still_there == NULL) return false;
    if (still_there != NULL) closedir(still_there);
    json_object_set_new(seen->json, "backtrace", frames != NULL ? frames : json_array());
    if (problem != NULL) json_put_text(seen->json, "backtrace_problem", problem);
    return true;
}

static int is_thread(const struct dirent* entry) {
    return entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
}

void threads_see(struct threads_seen* threads, const struct procmaps* maps, const HakRingFile* ring, pid_t process,
                 bool held) {
    char path[64];
    struct dirent** found;
    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    int count = scandir(path, &found, is_thread, versionsort);
    *threads = (struct threads_seen){.list = calloc(count > 0 ? (size_t)count : 1, sizeof *threads->list)};
    for (int i = 0; i < count; i++) {
        struct thread_seen seen = {.os_tid = (pid_t)strtol(found[i]->d_name, NULL, 10), .json = json_object()};
        free(found[i]);
        seen.number = rings_thread_number(ring, (uint32_t)seen.os_tid);
        json_put_whole(seen.json, "os_tid", seen.os_tid);
        json_put_count(seen.json, "thread", seen.number);
        put_name(seen.json, process, seen.os_tid);
        if (threads->list != NULL && see(&seen, maps, process, held))
            threads->list[threads->count++] = seen;
        else
            json_decref(seen.json);
    }
    if (count >= 0) free(found);
}

const struct thread_seen* threads_find(const struct threads_seen* threads, pid_t os_tid) {
    for (size_t i = 0; i < threads->count; i++)
        if (threads->list[i].os_tid == os_tid) return &threads->list[i];
    return NULL;
}

void threads_free(struct threads_seen* threads) {
    for (size_t i = 0; i < threads->count; i++) json_decref(threads->list[i].json);
    free(threads->list);
    *threads = (struct threads_seen){0};
}
