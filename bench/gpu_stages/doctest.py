"""Runs one of the test programs on one backend, and reads its summary."""
import re


def run_tests(stage, part, program, backend, filters=(), limit=120, before=()):
    """`before`: a program that runs the test program. Returns its end."""
    command = [*before, stage.build / "tests" / program, *filters]
    done = stage.run(command, limit, {"RETORT_TEST_BACKENDS": backend})
    cases = re.search(r"test cases: *(\d+) *\| *(\d+) passed *\| *(\d+) failed", done.output)
    checks = re.search(r"assertions: *(\d+)", done.output)
    if f"backend {backend} is not available" in done.output:
        ok, note = False, f"the tests did not find the backend {backend}"
    elif done.late or not cases:
        ok, note = False, done.problem() or "no summary"
    else:
        # A filter that matches nothing would pass.
        ok = done.ok and int(cases[1]) > 0
        note = f"{cases[2]} of {cases[1]} tests, {checks[1]} checks" if int(cases[1]) else "no test has such a name"
        failed = re.findall(r"^TEST CASE: +(.*)$", done.output, re.M) if int(cases[3]) else []
        if failed:
            note += "; failed: " + "; ".join(name[:60] for name in dict.fromkeys(failed))[:300]
    return done, ok, note
