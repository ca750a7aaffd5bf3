#include "report/not_loaded.h"

#include "binary/elf_file.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENVIRONMENT_BYTES = 1 << 17 };

// The name of the program's dynamic linker; "": it has none.
static bool read_interpreter(const char* path, char* out, size_t size) {
    struct elf_file file;
    GElf_Phdr header;
    size_t count = 0;
    if (!elf_file_open(&file, path)) return false;
    out[0] = '\0';
    elf_getphdrnum(file.elf, &count);
    for (size_t i = 0; i < count; i++) {
        if (gelf_getphdr(file.elf, (int)i, &header) == NULL || header.p_type != PT_INTERP) continue;
        ssize_t got = pread(file.descriptor, out, size - 1, (off_t)header.p_offset);
        out[got > 0 ? got : 0] = '\0';
    }
    elf_file_close(&file);
    return true;
}

static bool is_privileged(const char* path) {
    struct stat status;
    if (stat(path, &status) != 0) return false;
    return ((status.st_mode & S_ISUID) && status.st_uid != getuid()) ||
           ((status.st_mode & S_ISGID) && status.st_gid != getgid());
}

// Does its environment name the library? True also if that is not known.
static bool was_asked(pid_t thread, const char* library) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/environ", (int)thread);
    char* text = malloc(ENVIRONMENT_BYTES);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t bytes = text != NULL && file >= 0 ? read(file, text, ENVIRONMENT_BYTES - 1) : -1;
    bool asked = bytes < 0 || bytes == ENVIRONMENT_BYTES - 1;
    for (ssize_t at = 0; !asked && at < bytes; at += (ssize_t)strlen(text + at) + 1) {
        text[bytes] = '\0';
        asked = strncmp(text + at, "LD_PRELOAD=", 11) == 0 && strstr(text + at, library) != NULL;
    }
    if (file >= 0) close(file);
    free(text);
    return asked;
}

const char* not_loaded_why(pid_t thread, const char* library) {
    char path[64], interpreter[256];
    snprintf(path, sizeof path, "/proc/%d/exe", (int)thread);
    if (is_privileged(path)) return "it is set-user-id or set-group-id, so LD_PRELOAD is ignored";
    if (!read_interpreter(path, interpreter, sizeof interpreter)) return NULL;
    if (interpreter[0] == '\0') return "it is statically linked, so it loads no library";
    if (strstr(interpreter, "musl") != NULL) return "it uses the C library musl, which this library does not support";
    if (!was_asked(thread, library)) return "it was started without LD_PRELOAD in its environment, as by env -i";
    return NULL;
}
