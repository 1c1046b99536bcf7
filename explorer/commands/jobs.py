"""passk jobs."""

from __future__ import annotations

import argparse

from explorer.commands.options import add_format, add_store, reading
from explorer.commands.output import print_json, print_rows, say

SPEED = ("samples_per_second", "tokens_per_second", "seconds_left")
COLUMNS = ("job", "state", "run", "engine", "problems", "samples", "wanted", *SPEED)
ACTIONS = ("show", "log", "cancel", "resume")
TOO_LATE = {"cancel": ("finished", "cancelled"), "resume": ("running", "finished")}
"""States in which there is nothing to do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `passk jobs`."""
    parser.add_argument("action", nargs="?", choices=ACTIONS, help="what to do with one job; without, list all jobs")
    parser.add_argument("job", nargs="?", metavar="JOB", help="its name or a part of it; last for the newest")
    add_store(parser)
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    """List jobs, or show, cancel or resume one."""
    from dataclasses import asdict

    from backend import describe, find_job, jobs_of, resampling_outcome, store_for_reading
    from backend.errors import UsageError

    layout = store_for_reading(arguments.store)
    if arguments.action is None:
        rows = [describe(job) for job in jobs_of(layout)]
        if not rows:
            say("No jobs yet. passk sample makes one.")
        print_rows(arguments.format, COLUMNS, rows)
        for row in rows:
            if row["state"] == "damaged":
                say(row["error"])
        return 0
    if arguments.job is None:
        raise UsageError(f"passk jobs {arguments.action}: which job?", next_step="passk jobs lists them.")
    job = find_job(layout, arguments.job)
    if arguments.action in TOO_LATE and (state := job.status().state) in TOO_LATE[arguments.action]:
        raise UsageError(f"The job {job.name} is {state}")
    if arguments.action == "show":
        with reading(arguments.store) as reader:
            print_json({**describe(job), **asdict(resampling_outcome(reader, job))})
    elif arguments.action == "log":
        print(job.log.read_text(encoding="utf-8", errors="replace"), end="")
    elif arguments.action == "cancel":
        job.cancel()
        say(f"{job.name}: asked to stop; what has been drawn stays. passk jobs resume {job.name} goes on.")
    else:
        job.start()
        say(f"{job.name}: started again")
    return 0
