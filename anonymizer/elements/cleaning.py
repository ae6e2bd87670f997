"""The seam between the engine and the cleaners of content: who is asked, and how what was done gets declared.

Pixels are cleaned before the header is written: whoever did it says so in `anonymizer.engine.result.NewPixels`. Sequences are
cleaned while it is written: `anonymizer.engine.engine.CLEANERS` names a `SequenceCleaner` for an action, the rewriter calls
it. Either way the codes of CID 7050 are those of the instance, never of an intention (PS3.15 E.1.1).
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from anonymizer.profiles.actions import Action
from anonymizer.profiles.options import OPTIONS

if TYPE_CHECKING:
    from anonymizer.elements.packing import Chunks
    from anonymizer.elements.rewriting import Rewriter
    from kernel.dicom.scanning.elements import Element


# Takes the rewriter and the sequence; gives the whole new element, or None when it does not understand it: then the
# Basic Profile applies. It must treat everything in the sequence, by `rewriter.data_set` or otherwise. The code of its
# option is declared once it has given something.
SequenceCleaner = Callable[["Rewriter", "Element"], "Chunks | None"]
SequenceCleaners = Mapping[Action, SequenceCleaner]

CODE_OF: Final[Mapping[Action, str]] = {
    Action.STRUCTURED: OPTIONS["clean_structured_content"].code,
    Action.GRAPHICS: OPTIONS["clean_graphics"].code,
}
