"""Stop a training at a chosen moment."""

import signal
import time

import h5py

EACH_STEP = ("--checkpoint-minutes", "0.00001")


def wait_for(condition, process, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.002)


def lines(path):
    return len(path.read_text().splitlines()) if path.exists() else 0


def stop_after_epochs(process, history, number):
    """Send the signal once three epochs are done, at whatever step."""
    wait_for(lambda: lines(history) >= 3, process)
    time.sleep(0.02)
    process.send_signal(number)


def kill_between_steps(process, history, saved):
    """Kill once the checkpoint is one from the middle of the third epoch or a later one."""

    def in_the_middle():
        process.send_signal(signal.SIGSTOP)
        if lines(history) >= 2 and saved.exists():
            with h5py.File(checkpoint_in(saved)) as file:
                if file.attrs["step"]:
                    return True
        process.send_signal(signal.SIGCONT)
        return False

    wait_for(in_the_middle, process)
    process.kill()


def checkpoint_in(directory):
    """The only checkpoint there; its name tells the inputs."""
    (path,) = directory.glob("*.h5")
    return path
