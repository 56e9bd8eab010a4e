"""What the Python clients have in common, as report.mjs has it for the TypeScript ones: options, command, report."""

import argparse
import asyncio
import json
import os
import sys
import time
import warnings
from contextlib import asynccontextmanager

warnings.filterwarnings("ignore", message=".*deprecated as of.*|.*is removed as of.*")

parser = argparse.ArgumentParser()
parser.add_argument("--answers", choices=["sse", "json"], default="sse")
parser.add_argument("--era", choices=["legacy", "auto", "modern"], default="legacy")
parser.add_argument("--server", choices=["peers", "everything"], default="peers")
parser.add_argument("--timeout", type=float, default=60)
parser.add_argument("--url")
parser.add_argument("--without", action="append", default=[])
parser.add_argument("--token")
parser.add_argument("command", nargs="*")
options = parser.parse_args()
direct = options.url is not None
streamed = options.answers == "sse"
mode = {"legacy": "legacy", "auto": "auto", "modern": "2026-07-28"}[options.era]
if direct == bool(options.command):
    parser.error("give either -- COMMAND [ARG…] or --url URL --token T")

headers = {"Authorization": f"Bearer {options.token}"} if options.token else {}
# The SDKs would pass on only a handful of variables; the program under test needs its own.
environment = dict(os.environ)

report = {"ok": False, "peer": None, "transport": "http" if direct else "stdio", "checks": {}, "failed": {}}


def expect(condition: bool, why: str) -> None:
    # Not `assert`: it must hold under -O too.
    if not condition:
        raise AssertionError(why)


@asynccontextmanager
async def check(name: str):
    """One check; a failure is noted and ends the scenario, for what follows would fail with it."""
    start = time.monotonic()
    try:
        yield
    except BaseException as error:
        report["failed"].setdefault(name, f"{type(error).__name__}: {error}")
        raise
    finally:
        report["checks"][name] = round((time.monotonic() - start) * 1000)


def run(name: str, peer) -> None:
    """Runs the scenario with this client, prints the report and exits."""
    from everything import everything
    from scenario import scenario

    report["peer"] = name

    async def main() -> int:
        try:
            play = everything if options.server == "everything" else scenario
            await asyncio.wait_for(play(peer), options.timeout)
        except BaseException as error:  # the report says what failed; a traceback would only hide it
            if not report["failed"]:
                report["failed"]["scenario"] = f"{type(error).__name__}: {error}"
        report["ok"] = not report["failed"]
        print(json.dumps(report), flush=True)
        return 0 if report["ok"] else 1

    sys.exit(asyncio.run(main()))
