"""Stand-ins for the commands of Slurm, which start jobs on this machine, and comparisons by the executor."""

from __future__ import annotations

import json
import time

from comparison_runs import SMALL, TINY
from resumed_runs import differences

import nascore

GIVEN = {**TINY, "updater": ["uniform", "sgd"], "seeds": [0]}
LOCAL = {"executor.cluster": "local", "executor.workers": 2}

HEAD = """#!/bin/bash
S={state}
"""
COMMANDS = {
    "sbatch": """
id=$(( $(ls $S/*.job 2>/dev/null | wc -l) + 1 ))
cp $1 $S/$id.job
export SLURM_JOB_ID=$id SLURM_NTASKS=1 SLURM_JOB_NUM_NODES=1 SLURM_NODEID=0 SLURM_PROCID=0 SLURM_LOCALID=0
( bash $S/$id.job; touch $S/$id.end ) > /dev/null 2>&1 &
echo "Submitted batch job $id"
""",
    "srun": """
while [ "${{1#--}}" != "$1" ]; do
    case $1 in --output) out=$2; shift;; --error) err=$2; shift;; esac
    shift
done
echo $$ > $S/$SLURM_JOB_ID.pid
name() {{ echo ${{1//%j/$SLURM_JOB_ID}} | sed s/%t/0/; }}
exec "$@" > $(name $out) 2> $(name $err)
""",
    "scancel": """
touch $S/$1.cancelled
kill -TERM $(cat $S/$1.pid)
""",
    "sacct": """
echo "JobID|State|NodeList"
while [ $# -gt 0 ]; do
    if [ $1 = -j ]; then
        state=RUNNING
        [ -e $S/$2.end ] && state=FAILED
        [ -e $S/$2.end ] && [ -e $S/$2.cancelled ] && state=CANCELLED
        echo "$2|$state|here"
    fi
    shift
done
""",
}


def stand_in(folder):
    """Write the commands of Slurm into the folder `bin`; what they do is noted in the folder `state`."""
    for name in ("bin", "state"):
        (folder / name).mkdir()
    for name, text in COMMANDS.items():
        file = folder / "bin" / name
        file.write_text((HEAD + text).format(state=folder / "state"))
        file.chmod(0o755)
    return folder / "bin"


def by_slurm(out, settings=None, between=lambda: None, **given):
    """Return a comparison by processes of this machine, and the files that differ from those of `serial`."""
    settings = {**SMALL, **(settings or {})}
    given = {**GIVEN, **given}
    nascore.search_several(**given, settings=settings, out=out)
    serial = out.parent / "away" / "serial"
    serial.parent.mkdir()
    out.rename(serial)
    between()
    found = nascore.search_several(**given, settings={**settings, **LOCAL}, executor="slurm", out=out)
    return found, [name for name in differences(serial, out) if name != "environment.json"]


def events(run, name):
    """Return the events of a run that have a name."""
    file = run / "changes.jsonl"
    lines = map(json.loads, file.read_text().splitlines() if file.exists() else ())
    return [line for line in lines if line["event"] == name]


def until(holds, seconds=120):
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)
