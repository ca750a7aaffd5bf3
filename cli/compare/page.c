#include "compare/page.h"

#include "args.h"
#include "compare/page_template.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Inside a script element '<' could end it or begin a comment. In JSON these letters are found in strings only, where an
// escape says the same. Letters beyond ASCII, U+2028 among them, are escaped by jansson.
static int write_escaped(const char* text, size_t size, void* out) {
    FILE* file = out;
    for (size_t i = 0; i < size; i++) {
        bool special = text[i] == '<' || text[i] == '>' || text[i] == '&';
        int written = special ? fprintf(file, "\\u%04x", (unsigned)text[i]) : putc(text[i], file);
        if (written < 0) return -1;
    }
    return 0;
}

static bool write_page(FILE* file, const json_t* document) {
    errno = 0;  // a document that cannot be written as JSON sets none
    return fwrite(page_before, 1, page_before_size, file) == page_before_size &&
           json_dump_callback(document, write_escaped, file, JSON_COMPACT | JSON_ENSURE_ASCII) == 0 &&
           fwrite(page_after, 1, page_after_size, file) == page_after_size;
}

// Closes the file in every case.
static bool finish_page(FILE* file, const json_t* document) {
    bool written = write_page(file, document) && fflush(file) == 0;
    int error = errno;
    if (fclose(file) == 0) {
        errno = error;
        return written;
    }
    if (!written) errno = error;
    return false;
}

static bool cannot_write(const char* path) {
    missing_error("cannot write the page %s: %s", path, errno != 0 ? strerror(errno) : "its document is not JSON");
    return false;
}

// The mode that a plain open would have given: mkstemp's is for secrets.
static mode_t usual_mode(const char* path) {
    struct stat status;
    if (stat(path, &status) == 0) return status.st_mode & 0777;
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

// Beside the file and then in its place, so that nobody ever finds half a page under its name.
static bool replace_file(const char* path, const json_t* document) {
    char beside[PATH_MAX];
    int length = snprintf(beside, sizeof beside, "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof beside) {
        errno = ENAMETOOLONG;
        return false;
    }
    int descriptor = mkstemp(beside);
    if (descriptor < 0) return false;
    FILE* file = fdopen(descriptor, "w");
    if (file == NULL) close(descriptor);
    bool saved = file != NULL && fchmod(descriptor, usual_mode(path)) == 0;
    if (file != NULL) saved = finish_page(file, document) && saved;
    if (saved && rename(beside, path) == 0) return true;
    int error = errno;
    unlink(beside);
    errno = error;
    return false;
}

// A pipe or a device cannot be replaced.
static bool write_through(const char* path, const json_t* document) {
    FILE* file = fopen(path, "we");
    return file != NULL && finish_page(file, document);
}

bool page_save(const char* path, const json_t* document) {
    struct stat status;
    char behind_links[PATH_MAX];
    bool there = stat(path, &status) == 0;
    if (there && !S_ISREG(status.st_mode)) return write_through(path, document) || cannot_write(path);
    const char* target = there && realpath(path, behind_links) != NULL ? behind_links : path;
    if (replace_file(target, document)) return true;
    // The file may be written where its folder may not.
    return (there && errno == EACCES && write_through(path, document)) || cannot_write(path);
}
