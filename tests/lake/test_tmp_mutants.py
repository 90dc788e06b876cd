import os, re, dataclasses, random
import pytest
from hypothesis import Phase
from tests.lake import answers, test_rollup_texts as T
from tests.lake.answers import *
from tests.lake.test_rollup_texts import demo, demo_lake, shared, SUBJECTS
from hypothesis import HealthCheck, given, settings, strategies as st
from tests.lake import random_facts as facts

SWAPS = [
    (r"<=", "<"),
    (r"(?<![<>])=(?!=)", " <> "),
    (r"<(?![=>])", "<="),
    (r">=", ">"),
    (r"(?<![<>])>(?!=)", ">="),
    (r"\bMIN\b", "MAX"),
    (r"\bMAX\b", "MIN"),
    (r"\bLEAST\b", "GREATEST"),
    (r"\bGREATEST\b", "LEAST"),
    (r"\bAND\b", "OR"),
    (r"\bOR\b", "AND"),
    (r"\bDESC\b", ""),
    (r"(?<= )\+(?= )", "-"),
    (r"(?<= )-(?= )", "+"),
    (r"\b1\b", "2"),
    (r"\b12\b", "11"),
    (r"\b168\b", "167"),
    (r"'(\w+)'", "'x_\\1'"),
    (r"\bLEFT JOIN\b", "JOIN"),
    (r"\bIS NULL\b", "IS NOT NULL"),
    (r"\bIS NOT NULL\b", "IS NULL"),
    (r"\bFALSE\b", "TRUE"),
    (r"\bROUND\b", "FLOOR"),
    (r"\bFLOOR\b", "ROUND"),
    (r"\bELSE 0\b", "ELSE 1"),
    (r"\bLEAD\b", "LAG"),
    (r"\bLAG\b", "LEAD"),
    (r"\bDISTINCT\b", ""),
]


def mutants(sql):
    for pat, new in SWAPS:
        for m in re.finditer(pat, sql):
            yield (
                sql[: m.start()] + m.expand(new) + sql[m.end() :],
                (pat, sql[: m.start()].count("\n"), sql[max(0, m.start() - 60) : m.end() + 40].replace("\n", " ")),
            )


def ok_demo(rollup, zone, demo, expected):
    with demo.setup.begin() as c:
        return differences(summed(rollup, by_postgres(c, rollup, zone)), expected) == []


def test_m(demo, shared):
    names = os.environ["M"].split()
    surv = 0
    tot = 0
    for name in names:
        rollup = rollups()[name]
        subject = next(s for s, (st_, l) in SUBJECTS.items() if name in l.split())
        story = SUBJECTS[subject][0]
        with demo.setup.begin() as c:
            exp = {z: summed(rollup, by_oracle(c, name, z)) for z in ("UTC", "Asia/Kolkata")}
        lake = None
        cases = []

        # record random cases once
        @settings(
            max_examples=15,
            derandomize=True,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(story, st.sampled_from(facts.ZONES))
        def rec(steps, zone):
            b = T.business(shared)
            b.take(*steps)
            with shared.setup.begin() as c:
                cases.append((zone, b.company.codes))

        rec()
        for sql, what in mutants(rollup.sql):
            tot += 1
            mut = dataclasses.replace(rollup, sql=sql)
            killed = None
            try:
                for z in exp:
                    if not ok_demo(mut, z, demo, exp[z]):
                        killed = "demo"
                        break
                if not killed:
                    for zone, codes in cases:
                        with shared.setup.begin() as c:
                            e = summed(rollup, [r for r in by_oracle(c, name, zone) if r["workspace_code"] in codes])
                            g = summed(mut, [r for r in by_postgres(c, mut, zone) if r["workspace_code"] in codes])
                            if e != g:
                                killed = "random"
                                break
            except AssertionError:
                killed = "type"
            except Exception as x:
                killed = "error"
            if not killed:
                surv += 1
                print("SURVIVED", name, what)
        print(name, "done", flush=True)
    print("mutants", tot, "survived", surv)
