#!/bin/sh
# Writes a C program that has every name of stdin for itself, one a line as "TYPE NAME" (nm): functions for code,
# variables for the rest. It does what work.c does; none of its functions may be called meanwhile and none of its
# variables change, and when it calls them, they must be its own.
set -eu
awk '
$1 ~ /[TtWi]/ { functions[++f] = $2; next }
{ variables[++v] = $2 }
END {
    print "int archive_work(void); int puts(const char*); static int calls;"
    for (i = 1; i <= f; i++) printf "int %s(void) { calls++; return %d; }\n", functions[i], i
    for (i = 1; i <= v; i++) printf "int %s = %d;\n", variables[i], i
    print "int main(void) {\n    int wrong = archive_work() + calls;"
    for (i = 1; i <= f; i++) printf "    wrong += %s() != %d;\n", functions[i], i
    for (i = 1; i <= v; i++) printf "    wrong += %s != %d;\n", variables[i], i
    printf "    if (wrong != 0 || calls != %d) { puts(\"wrong: a name is not its own\"); return 1; }\n", f
    printf "    puts(\"%d functions and %d variables of its own\");\n    return 0;\n}\n", f, v
}'
