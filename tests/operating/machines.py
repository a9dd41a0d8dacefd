"""
Machines for a test: namespaces of this one, each with a network address, a name and a / of its own.

Each / is an overlay of this machine's, without homes, checkout, Node and whatever else lies outside
the distribution. Root of a Linux is needed. When it ends, every process in the namespaces is ended.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
STANDINS = FOLDER / "standins"
END_SECONDS = 20
BLOCK_SECONDS = 300
# Nothing of these is a machine's that was just installed.
EMPTIED = ("root", "home", "opt", "usr/local", "var/backups", "tmp", "run", "etc/nginx/conf.d")
UNSHARED = ("--mount", "--propagation", "private", "--net")
MARK = "=== block ended with"


class Failed(AssertionError):
    """A command of a block failed."""


def missing() -> str:
    """Return what keeps this machine from being several; empty if nothing does."""
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    wanted = ("unshare", "nsenter", "ip", "nginx", "openssl", "curl", "runuser", "useradd")
    absent = [one for one in wanted if shutil.which(one) is None]
    if absent:
        return f"not here: {', '.join(absent)}"
    python = ["/usr/bin/python3", "-c", "import ensurepip, sys; assert sys.version_info >= (3, 11)"]
    if not Path(python[0]).exists() or subprocess.run(python, check=False).returncode:
        return "the distribution's Python is older than 3.11, or without venv"
    script = (
        "mkdir -p /mnt && mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w /mnt/r &&"
        " mount -t overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w none /mnt/r &&"
        " ip link add name tried type bridge"
    )
    tried = subprocess.run(
        ["unshare", *UNSHARED, "sh", "-c", script], capture_output=True, text=True, check=False
    )
    return "" if tried.returncode == 0 else f"no namespaces here: {tried.stderr.strip()}"


class Machine:
    """A shell that stays, as root's of a machine."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self.said: list[str] = []
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            text=True,
        )
        self._ended = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def run(self, text: str, *, seconds: float = BLOCK_SECONDS) -> str:
        """Type commands, and return what they said; the first that fails ends the machine."""
        with self._ended:
            before = len(self.said)
            stdin: Any = self._process.stdin
            stdin.write(f"set -e -o pipefail\n{text}\necho '{MARK}' 0\n")
            stdin.flush()
            is_done = self._ended.wait_for(lambda: self._is_over(before), timeout=seconds)
        told = "".join(self.said[before:])
        if not is_done or MARK not in told:
            why = "took too long" if not is_done else "failed"
            raise Failed(f"on {self.name} this {why}:\n{text}\nwhich said:\n{told}")
        return told.partition(MARK)[0]

    def close(self) -> None:
        """End the shell."""
        stdin: Any = self._process.stdin
        with suppress(BrokenPipeError):
            stdin.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(END_SECONDS)
        stdout: Any = self._process.stdout
        stdout.close()

    def _is_over(self, before: int) -> bool:
        return any(MARK in one for one in self.said[before:]) or not self._reader.is_alive()

    def _read(self) -> None:
        stdout: Any = self._process.stdout
        for line in stdout:
            with self._ended:
                self.said.append(line)
                if MARK in line:
                    self._ended.notify_all()
        with self._ended:
            self.said.append("")
            self._ended.notify_all()


class Lab:
    """Several machines on one bridge; used in a `with`."""

    def __init__(self, addresses: Mapping[str, str], *, programs: Sequence[Path]) -> None:
        """
        Make the machines.

        shape: `programs` are the folders of a PostgreSQL, which a package would bring
        """
        self._addresses = addresses
        self._programs = programs
        self.machines: dict[str, Machine] = {}
        self.folder = Path(tempfile.mkdtemp(prefix="shulian-lab-"))

    def __enter__(self) -> Self:
        try:
            self._keeper = subprocess.Popen(["unshare", *UNSHARED, "sleep", "infinity"])
            self._wait_for_namespaces()
            self._inside(f"mount -t tmpfs -o mode=755 none {self.folder}")
            self._inside("ip link add name lab type bridge && ip link set lab up")
            for name in self._addresses:
                self._root(name)
            for name in self._addresses:
                self._see_others(name)
            for place, name in enumerate(self._addresses):
                self.machines[name] = self._machine(name, place)
            self.machines["workstation"] = self._workstation()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process in the machines, and remove what they wrote."""
        for machine in self.machines.values():
            machine.close()
        end = time.monotonic() + END_SECONDS
        while pids := list(self._pids()):
            for pid in pids:
                sign = signal.SIGTERM if time.monotonic() < end else signal.SIGKILL
                try:
                    os.kill(pid, sign)
                except ProcessLookupError:
                    continue
            time.sleep(0.2)
        self._keeper.kill()
        self._keeper.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self, machine: str) -> str:
        """Return what the services of a machine said."""
        script = f"tail -n 15 {self.folder}/{machine}/root/var/log/units/*.log || true"
        return self._inside(script)

    def _pids(self) -> Iterator[int]:
        """Yield the processes in our mount namespace, which nobody else is in."""
        ours = os.readlink(f"/proc/{self._keeper.pid}/ns/mnt")
        for path in Path("/proc").iterdir():
            if path.name.isdigit() and int(path.name) != self._keeper.pid:
                with suppress(OSError):
                    if os.readlink(path / "ns/mnt") == ours:
                        yield int(path.name)

    def _wait_for_namespaces(self) -> None:
        ours = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self._keeper.pid}/ns/net") == ours:
            time.sleep(0.01)

    def _inside(self, script: str) -> str:
        entering = ["nsenter", f"--target={self._keeper.pid}", "--mount", "--net"]
        done = subprocess.run(
            [*entering, "sh", "-e", "-c", script], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{script}: {done.stderr}"
        return done.stdout

    def _root(self, name: str) -> None:
        place = self.folder / name
        root = place / "root"
        emptied = "\n".join(
            f"mkdir -p {root}/{one}; mount -t tmpfs none {root}/{one}" for one in EMPTIED
        )
        hidden = f"mkdir -p {root}{ROOT}; mount -t tmpfs none {root}{ROOT}"
        brought = "\n".join(f"cp -r {one} {root}/usr/local/lib/" for one in self._programs)
        self._inside(
            f"""
mkdir -p {place}/upper {place}/work {root}
mount -t overlay -o lowerdir=/,upperdir={place}/upper,workdir={place}/work none {root}
{hidden}
{emptied}
cd {root}/usr/local && mkdir -p bin sbin lib share/ca-certificates && cd /
mkdir -p {root}/run/lock {root}/machines
chmod 1777 {root}/tmp; chmod 700 {root}/root
cp {STANDINS}/* {root}/usr/local/sbin/
{brought}
chroot {root} sh -c 'ln -s /usr/local/lib/*/pginstall/bin/* /usr/local/bin/'
mount -t proc none {root}/proc; mount --rbind /sys {root}/sys; mount --rbind /dev {root}/dev
grep -q '^postgres:' {root}/etc/passwd ||
    chroot {root} useradd --system --home-dir /var/lib/postgresql postgres
printf '127.0.0.1 localhost\\n' >{root}/etc/hosts
"""
        )

    def _see_others(self, name: str) -> None:
        for other, address in self._addresses.items():
            theirs = self.folder / other / "root"
            for known in (other, address):
                place = f"{self.folder}/{name}/root/machines/{known}"
                binds = f"mkdir -p {place}; mount --bind {theirs} {place}"
                # What was mounted over their / is not in what was bound.
                self._inside(f"{binds}; mount --bind {theirs}/root {place}/root")

    def _machine(self, name: str, place: int) -> Machine:
        root = self.folder / name / "root"
        command = [
            *("nsenter", f"--target={self._keeper.pid}", "--mount", "--"),
            *("unshare", "--net", "--uts", "--ipc", "--"),
            *("chroot", str(root), "/bin/bash", "--norc", "--noprofile"),
        ]
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        machine = Machine(
            name, command, {"HOME": "/root", "PATH": path, "USER": "root", "LANG": "C.UTF-8"}
        )
        machine.run(f"cd; hostname {name}")
        self._inside(
            f"ip link add port{place} type veth peer name eth0 netns {machine.pid};"
            f"ip link set port{place} master lab up"
        )
        machine.run(
            "ip link set lo up; ip link set eth0 up;"
            f" ip address add {self._addresses[name]}/24 dev eth0"
        )
        return machine

    def _workstation(self) -> Machine:
        """A shell in this checkout, whose changes to it are seen by nobody else."""
        place = self.folder / "workstation"
        upper, work = place / "upper", place / "work"
        self._inside(
            f"mkdir -p {upper} {work}; sed 's#/machines#{place}#g' {STANDINS}/scp >{place}/scp;"
            f" chmod +x {place}/scp"
        )
        for name in self._addresses:
            root = self.folder / name / "root"
            self._inside(
                f"mkdir -p {place}/{name}; mount --bind {root} {place}/{name};"
                f" mount --bind {root}/root {place}/{name}/root"
            )
        command = [
            *("nsenter", f"--target={self._keeper.pid}", "--mount", "--"),
            *("unshare", "--mount", "--", "/bin/bash", "--norc", "--noprofile"),
        ]
        machine = Machine(
            "workstation", command, {**os.environ, "PATH": f"{place}:{os.environ['PATH']}"}
        )
        over = f"lowerdir={ROOT},upperdir={upper},workdir={work}"
        machine.run(f"mount -t overlay -o {over} none {ROOT}; cd {ROOT}")
        return machine


@contextmanager
def open_lab(addresses: Mapping[str, str], *, programs: Sequence[Path]) -> Iterator[Lab]:
    """Make machines for as long as the block lasts."""
    with Lab(addresses, programs=programs) as lab:
        yield lab
