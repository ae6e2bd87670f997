"""What is written with highdicom is imported when first asked for, by whichever threads ask at once."""

import subprocess
import sys

AT_ONCE = """
import importlib, sys, time
from concurrent.futures import ThreadPoolExecutor
import consult.findings.key_images, consult.slides.annotations

NAMES = ("consult.findings.mark_documents", "consult.findings.key_documents", "consult.slides.mark_documents")
assert not sys.modules.keys() & {"highdicom", *NAMES}, "it is left until it is asked for"

def ask(name):
    while name != NAMES[0] and "highdicom" not in sys.modules:  # the others ask when the first is amid it
        time.sleep(0.001)
    importlib.import_module(name)

with ThreadPoolExecutor(len(NAMES)) as threads:
    list(threads.map(ask, NAMES))
"""


def test_documents_are_imported_by_threads_at_once():
    subprocess.run([sys.executable, "-c", AT_ONCE], check=True, timeout=60)
