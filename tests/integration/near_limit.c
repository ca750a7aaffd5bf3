// Near the limit of its control group, a program is not killed for memory that it has freed: free dirty memory goes
// back before new memory is touched. Skipped where no control group can be made.
#include "support/family.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)
enum { BLOCKS = 60 };

static char folder[256];
static bool unified;

static bool write_file(const char* name, const char* text) {
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE* file = fopen(path, "w");
    if (file == NULL) return false;
    bool ok = fputs(text, file) >= 0;
    return fclose(file) == 0 && ok;
}

static bool make_group(size_t limit) {
    static const char* const places[] = {"/sys/fs/cgroup/memory", "/sys/fs/cgroup"};
    char number[32];
    snprintf(number, sizeof number, "%zu", limit);
    for (int i = 0; i < 2; i++) {
        unified = i == 1;
        snprintf(folder, sizeof folder, "%s/hakmem-test-%d", places[i], (int)getpid());
        if (mkdir(folder, 0755) != 0) continue;
        if (write_file(unified ? "memory.max" : "memory.limit_in_bytes", number)) return true;
        rmdir(folder);
    }
    return false;
}

// Free dirty units, each between two in use: no long block can be made of them.
static void work(void) {
    static char *freed[BLOCKS], *kept[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        freed[i] = t_malloc(2 * MIB);
        kept[i] = t_malloc(2 * MIB);
        CHECK(freed[i] && kept[i], "no memory");
        memset(freed[i], 1, 2 * MIB);
        *kept[i] = 1;
    }
    for (int i = 0; i < BLOCKS; i++) t_free(freed[i]);
    char* block = t_malloc(160 * MIB);
    CHECK(block != NULL, "no memory for 160 MiB");
    memset(block, 1, 160 * MIB);
    t_free(block);
    test_check_heap();
}

int main(void) {
    test_start("near_limit", 0);
    if (!make_group(230 * MIB)) {
        test_say("near_limit: skipped: no control group can be made here");
        return TEST_SKIP;
    }
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        if (!write_file("cgroup.procs", "0")) _exit(TEST_SKIP);
        work();
        _exit(0);
    }
    bool waited = waitpid(pid, &status, 0) == pid;
    rmdir(folder);
    CHECK(waited, "waitpid");
    if (WIFEXITED(status) && WEXITSTATUS(status) == TEST_SKIP) return TEST_SKIP;
    CHECK(status == 0, "wait status %#x: killed for want of memory, with 120 MiB free", (unsigned)status);
    test_say("near_limit: ok");
    return 0;
}
