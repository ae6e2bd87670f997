"""What is written with highdicom is imported when first asked for, by whichever threads ask at once."""

import subprocess
import sys

AT_ONCE = """
import importlib, threading
from concurrent.futures import ThreadPoolExecutor
from consult.highdicom_once import have_highdicom

NAMES = ("consult.findings.key_documents", "consult.findings.mark_documents", "consult.slides.mark_documents")
together = threading.Barrier(len(NAMES))

def ask(name):
    together.wait()
    have_highdicom()
    importlib.import_module(name)

with ThreadPoolExecutor(len(NAMES)) as threads:
    list(threads.map(ask, NAMES))
"""


def test_documents_are_imported_by_threads_at_once():
    subprocess.run([sys.executable, "-c", AT_ONCE], check=True, timeout=60)
