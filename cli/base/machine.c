#include "base/machine.h"

#include "base/json.h"

#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

void machine_read_line(const char* path, char* out, size_t size) {
    out[0] = '\0';
    FILE* file = fopen(path, "re");
    if (file == NULL) return;
    if (fgets(out, (int)size, file) == NULL) out[0] = '\0';
    fclose(file);
    out[strcspn(out, "\n")] = '\0';
}

static void processor_name(char* out, size_t size) {
    snprintf(out, size, "unknown");
    FILE* file = fopen("/proc/cpuinfo", "re");
    if (file == NULL) return;
    char line[512];
    while (fgets(line, sizeof line, file) != NULL) {
        char* colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || colon == NULL) continue;
        snprintf(out, size, "%s", colon + 1 + strspn(colon + 1, " "));
        out[strcspn(out, "\n")] = '\0';
        break;
    }
    fclose(file);
}

static void add_setting(json_t* machine, const char* name, const char* path) {
    char line[256];
    machine_read_line(path, line, sizeof line);
    json_put_text(machine, name, line);
}

json_t* machine_describe(void) {
    json_t* machine = json_object();
    struct utsname kernel;
    if (uname(&kernel) == 0) {
        json_object_set_new(machine, "kernel", json_sprintf("%s %s", kernel.sysname, kernel.release));
        json_put_text(machine, "architecture", kernel.machine);
    }
    char processor[256];
    processor_name(processor, sizeof processor);
    json_put_text(machine, "processor", processor);
    json_put_whole(machine, "processors", sysconf(_SC_NPROCESSORS_ONLN));
    long pages = sysconf(_SC_PHYS_PAGES), page_size = sysconf(_SC_PAGESIZE);
    json_put_whole(machine, "memory_bytes", (json_int_t)pages * page_size);
    json_object_set_new(machine, "c_library", json_sprintf("glibc %s", gnu_get_libc_version()));
    add_setting(machine, "transparent_hugepage", "/sys/kernel/mm/transparent_hugepage/enabled");
    add_setting(machine, "overcommit_memory", "/proc/sys/vm/overcommit_memory");
    add_setting(machine, "max_map_count", "/proc/sys/vm/max_map_count");
    return machine;
}
