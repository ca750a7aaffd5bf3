// Libraries opened with RTLD_DEEPBIND under the checked library: their malloc and free are the program's, which is
// reported once, and the search path is the caller's. deepbind NAME: a library that only this program's RUNPATH leads
// to.
#include "support/test.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int messages, standard_error;

// What is written to stderr meanwhile goes to `messages`.
static void* open_library(const char* name, int mode) {
    dup2(messages, STDERR_FILENO);
    void* library = dlopen(name, mode);
    dup2(standard_error, STDERR_FILENO);
    return library;
}

typedef struct {
    char* (*make)(const char*);
    void (*give_back)(char*);
    char* (*grow)(char*, size_t);
} Plugin;

static Plugin open_plugin(const char* name, int mode) {
    Plugin plugin;
    void* library = open_library(name, mode);
    CHECK(library != NULL, "%s", dlerror());
    *(void**)&plugin.make = dlsym(library, "plugin_make");
    *(void**)&plugin.give_back = dlsym(library, "plugin_free");
    *(void**)&plugin.grow = dlsym(library, "plugin_grow");
    return plugin;
}

// If the flag were not taken away, the C library's free would get these blocks, and ours the C library's blocks.
static void blocks_cross(Plugin plugin) {
    char* block = malloc(100);
    memset(block, 1, 100);
    plugin.give_back(block);
    block = plugin.make("hello");
    block = realloc(block, 3000);
    block = plugin.grow(block, 100000);
    CHECK(strcmp(block, "hello") == 0, "the text is '%s'", block);
    free(block);
}

static unsigned times_said(const char* words) {
    char text[4096];
    ssize_t length = pread(messages, text, sizeof text - 1, 0);
    CHECK(length >= 0, "errno %d", errno);
    text[length] = '\0';
    unsigned times = 0;
    for (const char* at = text; (at = strstr(at, words)) != NULL; at++) times++;
    return times;
}

static void failures_are_told_as_ever(void) {
    static const char* const absent = "libthere-is-no-such-library.so";
    const int modes[] = {RTLD_NOW, RTLD_NOW | RTLD_DEEPBIND, RTLD_NOW | RTLD_NOLOAD | RTLD_DEEPBIND};
    for (int i = 0; i < 3; i++) {
        dlerror();
        CHECK(open_library(absent, modes[i]) == NULL, "mode %#x", (unsigned)modes[i]);
        const char* error = dlerror();
        CHECK(error != NULL && strstr(error, absent) != NULL, "mode %#x: %s", (unsigned)modes[i], error);
        CHECK(dlerror() == NULL, "told twice");
    }
    CHECK(open_library(absent, 0) == NULL && strstr(dlerror(), "invalid mode") != NULL, "a mode that is none");
}

int main(int argc, char** argv) {
    const char* name = argc > 1 ? argv[1] : "";
    test_start("deepbind", 0);
    if (getenv("LD_LIBRARY_PATH")) {  // set by whoever runs the tests: only RUNPATH shall lead to the libraries
        unsetenv("LD_LIBRARY_PATH");
        test_run_anew(argv);
    }
    messages = memfd_create("messages", 0);
    standard_error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    CHECK(messages >= 0 && standard_error >= 0, "errno %d", errno);
    // a log: the library writes into no other kind of file
    CHECK(fcntl(messages, F_SETFL, O_APPEND) == 0, "errno %d", errno);
    Plugin plain = open_plugin(name, RTLD_NOW | RTLD_LOCAL);
    void* self = open_library(NULL, RTLD_NOW | RTLD_DEEPBIND);
    unsigned before = times_said("RTLD_DEEPBIND");
    dlclose(open_library(name, RTLD_NOW | RTLD_NOLOAD));
    failures_are_told_as_ever();
    Plugin bound = open_plugin("libdeepbind-plugin-2.so", RTLD_NOW | RTLD_DEEPBIND);
    Plugin again = open_plugin("libdeepbind-plugin-2.so", RTLD_LAZY | RTLD_DEEPBIND);
    blocks_cross(plain);
    blocks_cross(bound);
    blocks_cross(again);
    CHECK(self != NULL && dlsym(self, "dlopen") != NULL, "dlopen(NULL)");
    CHECK(before == 0, "said %u times before anybody wanted it", before);
    CHECK(times_said("with RTLD_DEEPBIND") == 1, "said %u times", times_said("with RTLD_DEEPBIND"));
    CHECK(times_said("hakmem: dlopen of ") == 1, "without its name");
    return 0;
}
