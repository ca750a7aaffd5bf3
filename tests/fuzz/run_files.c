// The main() of a fuzz target where libFuzzer is not there: every file of the folders given is one input.
//
//   fuzz-NAME FOLDER|FILE...
//   exit status 1: there was no input; a crash is the sanitizer's or the kernel's to report
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

static unsigned inputs;

static void run_file(const char* path) {
    FILE* file = fopen(path, "re");
    EXPECT(file != NULL);
    EXPECT(fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    EXPECT(size >= 0 && fseek(file, 0, SEEK_SET) == 0);
    uint8_t* data = malloc((size_t)size + 1);  // of its own, so that a read behind its end is seen
    uint8_t* exact = size > 0 ? realloc(data, (size_t)size) : data;
    EXPECT(exact != NULL && fread(exact, 1, (size_t)size, file) == (size_t)size);
    fclose(file);
    printf("%s: %ld bytes\n", path, size);
    fflush(stdout);  // before a crash
    LLVMFuzzerTestOneInput(exact, (size_t)size);
    free(exact);
    inputs++;
}

static void run_folder(const char* folder) {
    struct dirent** entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    EXPECT(count >= 0);
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') run_file(path);
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char** argv) {
    for (int i = 1; i < argc; i++) {
        struct stat status;
        EXPECT(stat(argv[i], &status) == 0);
        if (S_ISDIR(status.st_mode))
            run_folder(argv[i]);
        else
            run_file(argv[i]);
    }
    printf("%u inputs\n", inputs);
    return inputs > 0 ? 0 : 1;
}
