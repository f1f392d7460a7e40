"""A Slurm of one node on this machine, started for the tests and stopped after them."""

import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tiny_project import finished_run, fresh, project  # noqa: F401

MARK = "# Written by the tests of tagalign; removed when they end.\n"
CONFIG = Path("/etc/slurm")
MUNGE = Path("/run/munge/munge.socket.2")
NEEDED = (
    "slurmctld",
    "slurmd",
    "sbatch",
    "scontrol",
    "squeue",
    "munge",
    "munged",
    "runuser",
    "pkill",
)
INSTALL = "apt-get install -y --no-install-recommends slurm-wlm slurm-wlm-basic-plugins munge"


def _slurm_conf(host: str, state: Path) -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    # More cores than there are: jobs only share the machine, and the tests wait less.
    return f"""{MARK}ClusterName=tagalign
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=500
ReturnToService=2
KillWait=5
MinJobAge=86400
SchedulerParameters=sched_interval=2
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
StateSaveLocation={state}/state
SlurmdSpoolDir={state}/spool
SlurmctldPidFile={state}/slurmctld.pid
SlurmdPidFile={state}/slurmd.pid
SlurmctldLogFile={state}/slurmctld.log
SlurmdLogFile={state}/slurmd.log
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory={max(memory, 16000)} Gres=gpu:1 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes={host} MaxTime=INFINITE State=UP
"""


def _why_not() -> str | None:
    if os.geteuid() != 0:
        return "starting Slurm needs root"
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        return f"{missing[0]} is not installed; {INSTALL}"
    config = CONFIG / "slurm.conf"
    if config.exists() and not config.read_text().startswith(MARK):
        return f"{config} belongs to a Slurm that is not ours"
    return None


@contextlib.contextmanager
def _alone():
    """Wait for other tests on this machine: there is one /etc/slurm, and jobs are counted."""
    with open(Path(tempfile.gettempdir()) / "tagalign-tests-slurm.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    """A Slurm of this machine only, used by these tests only."""
    with _alone():
        yield from _running(tmp_path_factory.mktemp("slurm"))


def _running(state: Path):
    """Start munge, slurmctld and slurmd; stop them at the end. The fake GPU is /dev/null."""
    reason = _why_not()
    if reason:
        pytest.skip(f"no Slurm: {reason}")
    host = socket.gethostname().split(".")[0]
    if (CONFIG / "slurm.conf").exists():
        # Ours, see _why_not: tests that were killed may have left their Slurm running.
        subprocess.run(["pkill", "--signal", "KILL", "--exact", "slurmctld|slurmd"])
    for name in ("state", "spool"):
        (state / name).mkdir()
    CONFIG.mkdir(exist_ok=True)
    (CONFIG / "slurm.conf").write_text(_slurm_conf(host, state))
    (CONFIG / "gres.conf").write_text(f"{MARK}NodeName={host} Name=gpu File=/dev/null\n")
    with contextlib.ExitStack() as daemons:
        daemons.callback(_remove_config)
        if not _munge_answers():
            MUNGE.parent.mkdir(exist_ok=True)
            shutil.chown(MUNGE.parent, "munge", "munge")
            # A munged that was killed leaves its socket, on which clients wait for ever.
            MUNGE.unlink(missing_ok=True)
            munge = ["runuser", "-u", "munge", "--", "munged", "--foreground", "--force"]
            daemons.enter_context(_daemon(munge, state / "munged.out"))
            _wait(_munge_answers, "munge", state)
        daemons.enter_context(_daemon(["slurmctld", "-D", "-c"], state / "slurmctld.out"))
        daemons.enter_context(_daemon(["slurmd", "-D"], state / "slurmd.out"))
        _wait(lambda: _ask("scontrol", "ping").count("UP") == 1, "slurmctld", state)
        _wait(lambda: set(_ask("sinfo", "-h", "-o", "%T").split()) == {"idle"}, "slurmd", state)
        daemons.callback(_cancel_jobs)
        yield state


def _munge_answers() -> bool:
    try:
        return subprocess.run(["munge", "-n"], capture_output=True, timeout=5).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _cancel_jobs():
    """Jobs outlive a slurmd that stops before it has killed them."""
    _ask("scancel", "--user=root", "--full")
    _wait(lambda: not _ask("squeue", "-h").strip(), "the queue to be empty")


def _remove_config():
    for name in ("slurm.conf", "gres.conf"):
        (CONFIG / name).unlink(missing_ok=True)


@contextlib.contextmanager
def _daemon(command, log):
    with open(log, "w") as file:
        daemon = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        daemon.terminate()
        try:
            daemon.wait(30)
        except subprocess.TimeoutExpired:
            daemon.kill()


def _ask(*command) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    return done.stdout


def _wait(condition, what, state=None, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            logs = "".join(path.read_text() for path in state.glob("*.out")) if state else ""
            raise RuntimeError(f"waited {seconds} s for {what} in vain\n{logs}")
        time.sleep(0.5)
