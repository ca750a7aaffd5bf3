// The reader of control groups, run on folders that look like the kernel's.
#include "os/cgroup.h"

#include "support/test.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char root[64];

static void write_file(const char* name, const char* text) {
    char path[512];
    snprintf(path, sizeof path, "%s%s", root, name);
    for (char* at = path + strlen(root) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        mkdir(path, 0700);
        *at = '/';
    }
    FILE* file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static int make_root(void** state) {
    (void)state;
    strcpy(root, "/tmp/hakmem-cgroup-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void** state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

static void expect(const char* folder, uint64_t limit, uint64_t room) {
    Cgroup group;
    char path[512];
    snprintf(path, sizeof path, "%s%s", root, folder);
    assert_true(cgroup_find(&group, root));
    assert_string_equal(group.folder, path);
    CgroupRoom got = cgroup_room(&group);
    assert_int_equal(got.limit, limit);
    assert_int_equal(got.room, room);
}

static void version_2_the_tightest_level_counts(void** state) {
    (void)state;
    write_file("/proc/self/cgroup", "0::/a/b\n");
    write_file("/proc/self/mountinfo",
               "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
               "30 23 0:26 / /cg rw,nosuid shared:4 master:1 - cgroup2 cgroup2 rw,nsdelegate\n");
    write_file("/cg/a/b/memory.max", "max\n");
    write_file("/cg/a/b/memory.high", "max\n");
    write_file("/cg/a/b/memory.current", "700\n");
    expect("/cg/a/b", UINT64_MAX, UINT64_MAX);
    write_file("/cg/a/memory.max", "1000\n");
    write_file("/cg/a/memory.current", "900\n");
    expect("/cg/a/b", 1000, 100);
    write_file("/cg/a/b/memory.high", "710\n");
    expect("/cg/a/b", 710, 10);
    write_file("/cg/a/b/memory.current", "800\n");  // above memory.high
    expect("/cg/a/b", 710, 0);
}

static void version_2_in_a_namespace(void** state) {
    (void)state;
    write_file("/proc/self/cgroup", "0::/\n");
    write_file("/proc/self/mountinfo", "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw");
    write_file("/cg/memory.max", "5000");
    write_file("/cg/memory.current", "4000");
    expect("/cg", 5000, 1000);
}

static void version_1_beside_an_empty_version_2(void** state) {
    (void)state;
    write_file("/proc/self/cgroup", "9:name=systemd:/\n5:cpu,memory:/docker/xyz\n4:cpu:/no\n0::/other\n");
    write_file("/proc/self/mountinfo", "31 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n"
                                       "32 23 0:27 / /cpu rw - cgroup cgroup rw,cpuacct\n"
                                       "33 23 0:28 /docker/xyz /mem ro - cgroup cgroup rw,cpu,memory\n");
    write_file("/mem/memory.limit_in_bytes", "9223372036854771712\n");
    write_file("/mem/memory.usage_in_bytes", "1\n");
    expect("/mem", UINT64_MAX, UINT64_MAX);
    write_file("/mem/memory.limit_in_bytes", "3000\n");
    expect("/mem", 3000, 2999);
}

static void nothing_to_be_found(void** state) {
    (void)state;
    Cgroup group;
    char long_line[3000];
    memset(long_line, 'x', sizeof long_line);
    long_line[sizeof long_line - 1] = '\0';
    assert_false(cgroup_find(&group, root));  // no files
    write_file("/proc/self/cgroup", "");
    assert_false(cgroup_find(&group, root));
    write_file("/proc/self/cgroup", "rubbish\n:\n::\n5:memory\n");
    assert_false(cgroup_find(&group, root));
    write_file("/proc/self/cgroup", "0::/a\n");
    assert_false(cgroup_find(&group, root));
    write_file("/proc/self/mountinfo", "1 2 3\n - cgroup2\n - cgroup2 x\n\n");
    if (cgroup_find(&group, root)) assert_int_equal(cgroup_room(&group).limit, UINT64_MAX);
    write_file("/proc/self/mountinfo", long_line);
    assert_false(cgroup_find(&group, root));
    group.folder[0] = '\0';
    group.top = 0;
    assert_int_equal(cgroup_room(&group).limit, UINT64_MAX);
}

// This process's own group: whatever it is, it can be read.
static void this_process(void** state) {
    (void)state;
    Cgroup group;
    if (!cgroup_find(&group, "")) skip();
    struct stat status;
    assert_int_equal(stat(group.folder, &status), 0);
    CgroupRoom room = cgroup_room(&group);
    assert_true(room.room <= room.limit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(version_2_the_tightest_level_counts, make_root, remove_root),
        cmocka_unit_test_setup_teardown(version_2_in_a_namespace, make_root, remove_root),
        cmocka_unit_test_setup_teardown(version_1_beside_an_empty_version_2, make_root, remove_root),
        cmocka_unit_test_setup_teardown(nothing_to_be_found, make_root, remove_root),
        cmocka_unit_test(this_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
