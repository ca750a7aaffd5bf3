#include "testplan/test.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

// Reading the result

static const json_t* fault_of(const struct test* test) {
    return json_object_get(test->result, "fault");
}

static const char* signal_name(const struct test* test) {
    const char* died_of = json_get_text_or(fault_of(test), "died_of", "-");
    return json_get_text_or(json_object_get(fault_of(test), "signal"), "name", died_of);
}

static const char* failed_check(const struct test* test) {
    return json_get_text_or(fault_of(test), "check", "-");
}

const char* test_fault_addr(const struct test* test) {
    return json_get_text_or(json_object_get(fault_of(test), "signal"), "fault_addr", "-");
}

const char* test_check_site(const struct test* test) {
    return json_get_text_or(fault_of(test), "site", "-");
}

const char* test_outcome(const struct test* test) {
    return json_get_text_or(test->result, "outcome", "not run");
}

static bool ended(const struct test* test, const char* outcome) {
    return strcmp(test_outcome(test), outcome) == 0;
}

bool test_is_complete(const struct test* test) {
    return ended(test, "ok") || ended(test, "fault") || ended(test, "hang");
}

double test_duration(const struct test* test) {
    return json_get_number(test->result, "seconds");
}

json_int_t test_events(const struct test* test) {
    return json_get_whole(test->result, "events");
}

json_int_t test_counter(const struct test* test, const char* name) {
    const json_t* counters = json_object_get(json_object_get(test->result, "counters"), "counters");
    return json_get_whole(counters, name);
}

json_int_t test_foreign_drains(const struct test* test, const char* site) {
    const char* key;
    json_t* count;
    json_int_t total = 0;
    json_object_foreach(json_object_get(test->result, "foreign_drains"), key, count) {
        if (site == NULL || strcmp(site, key) == 0) total += json_integer_value(count);
    }
    return total;
}

// Judging it

bool test_is_faulty(const struct test_spec* spec) {
    return spec->expected != EXPECT_CLEAN;
}

static bool stage_served(const struct test* test, const char* stage) {
    char tried[64], hit[64];
    snprintf(tried, sizeof tried, "%s_tried", stage);
    snprintf(hit, sizeof hit, "%s_hit", stage);
    return test_counter(test, tried) > 0 && test_counter(test, hit) > 0;
}

static bool is_clean(const struct test* test) {
    return ended(test, "ok") && test_events(test) > 0;
}

// If a change is missing: there were foreign drains and, if only one change is missing, only at its site.
static bool is_fault(const struct test* test) {
    json_int_t drains = test_foreign_drains(test, test->spec->site);
    return (ended(test, "fault") || ended(test, "hang")) && drains > 0 && drains == test_foreign_drains(test, NULL);
}

static bool is_stop(const struct test* test) {
    const char* site = test->spec->site;
    return ended(test, "fault") && strcmp(failed_check(test), "ownership") == 0 &&
           (site == NULL || strcmp(test_check_site(test), site) == 0);
}

bool test_as_expected(const struct test* test) {
    switch (test->spec->expected) {
    case EXPECT_FAULT: return is_fault(test);
    case EXPECT_STOP: return is_stop(test);
    case EXPECT_FAULT_OR_CLEAN: return is_fault(test) || is_clean(test);
    case EXPECT_STOP_OR_CLEAN: return is_stop(test) || is_clean(test);
    case EXPECT_CLEAN: break;
    }
    return is_clean(test) && test_foreign_drains(test, NULL) == 0 &&
           (test->spec->site == NULL || stage_served(test, test->spec->site));
}

// Describing it

void test_describe(const struct test* test, char* out, size_t size) {
    const struct test_spec* spec = test->spec;
    snprintf(out, size, "%s %g %u%s%s --changes %s", spec->mode, test->seconds, spec->threads,
             spec->profile != NULL ? " --profile " : "", spec->profile != NULL ? spec->profile : "", spec->changes);
}

void test_describe_duration(const struct test* test, char* out, size_t size) {
    if (test->result == NULL)
        snprintf(out, size, "-");
    else if (test_duration(test) < 0.1)
        snprintf(out, size, "%.4f s", test_duration(test));
    else
        snprintf(out, size, "%.2f s", test_duration(test));
}

void test_describe_result(const struct test* test, char* out, size_t size) {
    if (ended(test, "ok"))
        snprintf(out, size, "NO CRASH");
    else if (ended(test, "hang"))
        snprintf(out, size, "HANG");
    else if (!ended(test, "fault"))
        snprintf(out, size, "%s", test_outcome(test));
    else if (strcmp(test_fault_addr(test), "-") != 0)
        snprintf(out, size, "CRASH at fault_addr=%s", test_fault_addr(test));
    else if (strcmp(failed_check(test), "-") != 0)
        snprintf(out, size, "STOPPED by check=%s site=%s", failed_check(test), test_check_site(test));
    else
        snprintf(out, size, "CRASH by %s", signal_name(test));
}

void test_describe_foreign_drains(const struct test* test, char* out, size_t size) {
    const char* site;
    json_t* count;
    size_t used = 0;
    snprintf(out, size, "%s", test->result != NULL ? "none" : "-");
    json_object_foreach(json_object_get(test->result, "foreign_drains"), site, count) {
        if (json_integer_value(count) == 0 || used >= size) continue;
        int written = snprintf(out + used, size - used, "%s%s %lld", used > 0 ? ", " : "", site,
                               (long long)json_integer_value(count));
        if (written > 0) used += (size_t)written;
    }
}

static void copy_fields(json_t* to, const struct test* test) {
    static const char* const fields[] = {"again", "seconds", "events", "ops", "foreign_drains", "report"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        json_t* value = json_object_get(test->result, fields[i]);
        if (value != NULL) json_object_set(to, fields[i], value);
    }
    json_t* counters = json_object_get(json_object_get(test->result, "counters"), "counters");
    if (counters != NULL) json_object_set(to, "counters", counters);
}

json_t* test_to_json(const struct test* test) {
    char run[256], found[256];
    test_describe(test, run, sizeof run);
    test_describe_result(test, found, sizeof found);
    json_t* json = json_object();
    json_put_text(json, "title", test->spec->title);
    json_put_text(json, "run", run);
    json_put_count(json, "seed", test->seed);
    json_put_text(json, "outcome", test_outcome(test));
    json_put_text(json, "result", found);
    json_object_set_new(json, "as_expected",
                        test_is_complete(test) ? json_boolean(test_as_expected(test)) : json_null());
    if (ended(test, "fault")) {
        json_put_text(json, "signal", signal_name(test));
        json_put_text(json, "fault_addr", test_fault_addr(test));
        json_put_text(json, "check", failed_check(test));
        json_put_text(json, "site", test_check_site(test));
    }
    copy_fields(json, test);
    return json;
}
