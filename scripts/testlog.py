#!/usr/bin/env python3
"""Reads meson's testlog.json and prints a line for each test: verdict, seconds, name and, for a skip, why."""

import json
import sys

VERDICTS = {"OK": "pass", "EXPECTEDFAIL": "pass", "SKIP": "skip"}  # everything else is a failure


def last_line(text):
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def main():
    with open(sys.argv[1], encoding="utf-8") as log:
        for line in log:
            test = json.loads(line)
            verdict = VERDICTS.get(test["result"], "FAIL")
            output = (test.get("stdout") or "") + "\n" + (test.get("stderr") or "")
            why = ""
            if verdict == "skip":
                why = ": " + last_line(output)
            elif verdict == "FAIL":
                why = f" ({test['result'].lower()})"
            print(f"{verdict}\t{test['duration']:.1f}\t{test['name'].strip()}{why}")
            if verdict == "FAIL":
                for text in output.strip().splitlines()[-30:]:
                    print("    | " + text)


main()
