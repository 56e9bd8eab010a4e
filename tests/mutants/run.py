#!/usr/bin/env python3
"""Breaks the product on purpose, one guard at a time, and watches a test fail.

    tests/mutants/run.py            every mutant in list.toml
    tests/mutants/run.py iss pkce   those whose guard contains one of the words

Works on a copy in target/mutants, so the tree stays as it is. A mutant that survives makes the run fail.
"""

import pathlib
import shutil
import subprocess
import sys
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = ROOT / "target" / "mutants"
LIMIT = 600  # seconds for one build and test


def copy_tree():
    for name in ["src", "tests", "examples", "benches", "Cargo.toml", "Cargo.lock", "README.md"]:
        source, target = ROOT / name, COPY / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
            continue
        for path in source.rglob("*"):
            if path.is_dir() or {"node_modules", "__pycache__"} & set(path.parts):
                continue
            there = target / path.relative_to(source)
            there.parent.mkdir(parents=True, exist_ok=True)
            if not there.exists() or there.read_bytes() != path.read_bytes():
                shutil.copyfile(path, there)
    if (ROOT / "tests/peers/node_modules").exists() and not (COPY / "tests/peers/node_modules").exists():
        (COPY / "tests/peers/node_modules").symlink_to(ROOT / "tests/peers/node_modules")


def run(test):
    """Whether the test passes, and what it said. A name that matches no test is an error."""
    command = ["cargo", "test", "--features", "sandbox", *test.split()]
    done = subprocess.run(command, cwd=COPY, capture_output=True, text=True, timeout=LIMIT)
    said = done.stdout + done.stderr
    if "could not compile" in said:
        print(said[-2000:])
        return True  # nothing was tested, so nothing was noticed
    if done.returncode == 0 and " 0 passed" in said and said.count("test result: ok. 0 passed") == said.count("test result:"):
        raise SystemExit(f"no such test: {test}")
    return done.returncode == 0


def main():
    words = sys.argv[1:]
    mutants = tomllib.loads((ROOT / "tests/mutants/list.toml").read_text())["mutant"]
    chosen = [m for m in mutants if not words or any(word in m["guard"] for word in words)]
    copy_tree()
    # A test that fails anyway would kill every mutant.
    for test in sorted({mutant["test"] for mutant in chosen}):
        if not run(test):
            raise SystemExit(f"fails without any mutant: {test}")
    survivors = []
    for mutant in chosen:
        path = COPY / mutant["file"]
        text = path.read_text()
        if text.count(mutant["old"]) != 1:
            raise SystemExit(f"{mutant['guard']}: the snippet occurs {text.count(mutant['old'])} times")
        begun = time.monotonic()
        path.write_text(text.replace(mutant["old"], mutant["new"]))
        try:
            killed = not run(mutant["test"])
        except subprocess.TimeoutExpired:
            killed = True
        finally:
            path.write_text(text)
        seconds = time.monotonic() - begun
        print(f"{'killed  ' if killed else 'SURVIVED'} {seconds:5.0f} s  {mutant['guard']}  [{mutant['test']}]", flush=True)
        if not killed:
            survivors.append(mutant["guard"])
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} mutants killed")
    if survivors:
        raise SystemExit(1)


main()
