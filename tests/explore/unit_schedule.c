// Schedules as strings: what is written is read again, and what is wrong is refused with what was expected.
#include "unit/unit.h"

#include "record/schedule.h"

#include <stdio.h>
#include <string.h>

static void same_after_reading(const char* text) {
    static Replay replay;
    const char *at, *expected;
    char again[512];
    assert_true(replay_parse(text, &replay, &at, &expected));
    replay_format(&replay, again, sizeof again);
    assert_string_equal(again, text);
}

static void strings_are_read_as_they_were_written(void** state) {
    (void)state;
    same_after_reading("S3@1f3a9c2e:B");
    same_after_reading("S3@1f3a9c2e:B.B9A.A17B.B11~1.A20!.A21%.A22^");
    same_after_reading("S3@1f3a9c2e:B.B9A#5be01c77");
    same_after_reading("S3-A2-B1@1f3a9c2e:A");
    same_after_reading("random-17@1f3a9c2e:A.A4294967295B");
    same_after_reading("random-17-C12@1f3a9c2e:A");
    same_after_reading("S1@1f3a9c2e,changes=1-2+6,weaken=C1+A5:C.C3~12");
}

static void parts_are_where_they_belong(void** state) {
    static Replay replay;
    const char *at, *expected;
    (void)state;
    assert_true(replay_parse("S3-A2-B1@abc,changes=1-2+6:B.A17C.B11~2", &replay, &at, &expected));
    assert_string_equal(replay.scenario, "S3");
    assert_int_equal(replay.dropped_count, 2);
    assert_int_equal(replay.dropped[1].thread, 1);
    assert_int_equal(replay.dropped[0].op, 2);
    assert_string_equal(replay.build, "abc");
    assert_string_equal(replay.changes, "1-2,6");
    assert_int_equal(replay.schedule.first, 1);
    assert_int_equal(replay.schedule.count, 2);
    assert_int_equal(replay.schedule.at[0].moment, 17);
    assert_int_equal(replay.schedule.at[0].value, 2);
    assert_int_equal(replay.schedule.at[1].kind, CHOOSE_STORE);
    assert_int_equal(replay.schedule.at[1].value, 2);
    assert_int_equal(schedule_switches(&replay.schedule), 1);
    schedule_remove(&replay.schedule, 0);
    assert_int_equal(replay.schedule.at[0].kind, CHOOSE_STORE);
}

static void refuses(const char* text, const char* rest) {
    static Replay replay;
    const char *at, *expected;
    assert_false(replay_parse(text, &replay, &at, &expected));
    assert_string_equal(at, rest);
    assert_true(strlen(expected) > 0);
}

static void wrong_strings_are_refused_where_they_are_wrong(void** state) {
    (void)state;
    refuses("", "");
    refuses("S3", "");
    refuses("S3@:A", ":A");
    refuses("S3@abc", "");
    refuses("S3@abc:", "");
    refuses("S3@abc:G", "G");
    refuses("S3@abc:A.", "");
    refuses("S3@abc:A.B", "");
    refuses("S3@abc:A.B9", "");
    refuses("S3@abc:A.B9X", "X");
    refuses("S3@abc:A.B99999999999A", "99999999999A");
    refuses("S3@abc:A.B9~", "");
    refuses("S3@abc:A,B9A", ",B9A");
    refuses("S3@abc:A#12", "#12");
    refuses("S3@abc,colour=1:A", ",colour=1:A");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_read_as_they_were_written),
        cmocka_unit_test(parts_are_where_they_belong),
        cmocka_unit_test(wrong_strings_are_refused_where_they_are_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
