"""`vienanh demo`: a site and a hub on loopback, a pretend CT, a reader; the whole journey on real anatomy.

Both nodes are what `vienanh serve` starts, each a process of its own with a configuration file that can be read. The
pretend modality is a C-STORE SCU. `--once` is strict: it looks at the hub with a client's eyes and fails unless every
slice arrived, nothing of the patients' identity did, and every slice rendered.
"""

import json
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from exchange.demo import data as demo_data
from exchange.demo import journey as demo_journey
from exchange.demo.data import DemoStudy
from exchange.node.stores import opened
from exchange.node.supervise import LISTENING_FILE
from exchange.terminal.screen import err, out
from gateway.dimse.scu.calling import Target
from gateway.dimse.scu.sender import send_files
from kernel import config_reading
from kernel.access import NewAccount, Role, Scope
from kernel.clock import SystemClock

SITE = "MUONGKHE"
READER = "bacsi"
START_S = 60.0
EXIT_FAILED = 1

HUB_TOML = """# The hub of `vienanh demo`: where studies are read.
[node]
role = "hub"
site = "TRUNGUONG"
name = "Bệnh viện Trung ương (demo)"
data = "{data}"

[dimse]
enabled = false

[http]
port = {http_port}
"""

SITE_TOML = """# The site of `vienanh demo`: a district hospital that sends its studies away to be read.
[node]
role = "site"
site = "MUONGKHE"
name = "Bệnh viện huyện Mường Khê (demo)"
data = "{data}"

[dimse]
port = 0
ae_title = "MUONGKHE"

[http]
port = 0

[[source]]
name = "CT 1"
calling = "CT1"

[[destination]]
name = "hub"
kind = "stow"
url = "{hub_url}/dicom-web"
token_file = "hub.token"
profile = "tele-read"

[[rule]]
name = "emergency"
description = ["*cap cuu*"]
to = ["hub"]
priority = "stat"

# Ultrasound waits for a person as a rule: its pictures usually show the patient's name. The demo's do not.
[[rule]]
name = "ultrasound without names in its pictures"
modality = ["US"]
to = ["hub"]
hold = "none"
final = true

[[rule]]
name = "everything"
to = ["hub"]
"""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person who started the demo asked for."""

    once: bool
    as_json: bool
    http_port: int
    keep: Path | None


@dataclass(frozen=True, slots=True)
class Demo:
    """Two running nodes and what is sent through them."""

    hub_url: str
    site_url: str
    dimse_port: int
    password: str
    hub_token: str  # a client's, may read
    studies: list[DemoStudy]


def run(wishes: Wishes) -> None:
    """Run the demo until Ctrl-C, or once."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with _started(wishes) as demo:
        if wishes.once:
            _once(demo)
            return
        _invite(demo, wishes)
        sender = threading.Thread(target=send_all, args=(demo,), daemon=True)
        sender.start()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            err.print("The demo ends.")


@contextmanager
def _started(wishes: Wishes) -> Generator[Demo]:
    with ExitStack() as stack:
        home = wishes.keep or Path(tempfile.mkdtemp(prefix="vienanh-demo-"))
        if wishes.keep is None:
            stack.callback(shutil.rmtree, home, ignore_errors=True)
        err.print("Making the studies")
        aside = stack.enter_context(ThreadPoolExecutor(1))  # the nodes start meanwhile
        studies = aside.submit(demo_data.build, home / "studies", lambda title: err.print(f"  {title}"))
        password = secrets.token_urlsafe(9)
        hub_file = _write(home / "hub" / "hub.toml", HUB_TOML, data=home / "hub" / "data", http_port=wishes.http_port)
        store_token, read_token = _prepare_hub(hub_file, password)
        hub = stack.enter_context(_node(hub_file))
        site_file = _write(home / "site" / "site.toml", SITE_TOML, data=home / "site" / "data", hub_url=hub["http"])
        token_file = site_file.with_name("hub.token")
        token_file.touch(mode=0o600)
        token_file.write_text(store_token)
        site = stack.enter_context(_node(site_file))
        yield Demo(hub["http"], site["http"], site["dimse_port"], password, read_token, studies.result())


def _write(file: Path, template: str, **values: object) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(template.format(**values), encoding="utf-8")
    return file


def _prepare_hub(file: Path, password: str) -> tuple[str, str]:
    """Make the reader's account, the site's token and a client's token; return the tokens."""
    config = config_reading.load(file)
    with opened(config) as stores:
        if READER in {account.name for account in stores.access.accounts.list()}:
            stores.access.accounts.set_password(READER, password, by="demo")
        else:
            new = NewAccount(READER, (Role.READER,), display="BS. Trần Thu Lan")
            stores.access.accounts.create(new, password, by="demo")
        tokens = stores.access.tokens
        store = tokens.create(SITE, (Scope.DICOMWEB_STORE,), site=SITE, by="demo")
        return store, tokens.create("demo", (Scope.DICOMWEB_READ, Scope.API_READ), by="demo")


@contextmanager
def _node(file: Path) -> Generator[dict[str, Any]]:
    """Run `vienanh serve` with a configuration file; yield where it listens."""
    listening = config_reading.load(file).node.data / LISTENING_FILE
    listening.unlink(missing_ok=True)
    with (file.with_suffix(".log")).open("w", encoding="utf-8") as log:
        command = [sys.executable, "-m", "exchange", "serve", "--config", str(file)]
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 (our own program)
        try:
            yield _where(process, listening, Path(log.name))
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _where(process: "subprocess.Popen[bytes]", listening: Path, log: Path) -> dict[str, Any]:
    clock, waiting = SystemClock(), threading.Event()
    deadline_s = clock.monotonic_s() + START_S
    while not listening.exists():
        if process.poll() is not None or clock.monotonic_s() > deadline_s:
            err.print(f"A node did not start; its log {log} ends:\n{log.read_text()[-2000:]}", markup=False)
            raise typer.Exit(EXIT_FAILED)
        clock.wait(waiting, 0.05)
    return json.loads(listening.read_text())


def send_all(demo: Demo) -> None:
    """Push every study as its modality would, the emergency while the long series is still on its way."""
    emergency, *others = demo.studies
    routine = threading.Thread(target=lambda: [_push(demo, study) for study in others], daemon=True)
    routine.start()
    _push(demo, emergency)
    routine.join()


def _push(demo: Demo, study: DemoStudy) -> None:
    target = Target("127.0.0.1", demo.dimse_port, SITE, f"{study.modality}1", 60.0)
    failed = [sent for sent in send_files(study.instances, target) if not sent.receipt.is_success]
    for sent in failed:
        err.print(f"{sent.path}: {sent.receipt.status} {sent.receipt.detail}", markup=False)


def _invite(demo: Demo, wishes: Wishes) -> None:
    if wishes.as_json:
        described = {"url": demo.hub_url, "account": READER, "password": demo.password, "site_url": demo.site_url}
        typer.echo(json.dumps(described))
        return
    out.print()
    out.print("[bold]Viễn Ảnh demo[/]: a district hospital sends, you read at the hub.")
    out.print(f"  open      [bold]{demo.hub_url}/[/]")
    out.print(f"  account   [bold]{READER}[/]")
    out.print(f"  password  [bold]{demo.password}[/]")
    command = shutil.which("vienanh") or Path(sys.executable).with_name("vienanh")
    out.print(f"  send more: {command} send FILES --to {SITE}@127.0.0.1:{demo.dimse_port}")
    out.print("Ctrl-C ends it.")


def _once(demo: Demo) -> None:
    steps = demo_journey.Steps(SystemClock())
    sender = threading.Thread(target=send_all, args=(demo,), daemon=True)
    sender.start()
    problems = demo_journey.follow(demo.hub_url, demo.hub_token, demo.studies, steps)
    sender.join(demo_journey.WAIT_S)
    for problem in problems:
        err.print(f"[bold red]failed[/]: {problem}")
    if problems:
        raise typer.Exit(EXIT_FAILED)
    out.print("Every slice arrived, was pseudonymised and rendered.")
