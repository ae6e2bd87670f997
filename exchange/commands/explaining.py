"""`vienanh deidentify --explain` and `--profiles`: what a profile does, tag by tag, and which profiles there are."""

from pathlib import Path

from anonymizer.engine.engine import deidentify
from anonymizer.engine.explain import VALUE_BYTES_SHOWN, Told, explain
from anonymizer.engine.opening import opened
from anonymizer.profiles.options import OPTIONS, declared
from anonymizer.profiles.profile import BUILT_IN, Profile, load
from anonymizer.pseudonyms.keys import Keys
from exchange.files.inputs import Entry, content_of
from exchange.terminal.screen import out, table
from kernel.config import Config
from kernel.dicom.scanning.scanner import scan
from routing.profiles import profiles_of


def explain_file(file: Path, profile: Profile, keys: Keys, issuer: str, charset: str | None, *, values: bool) -> None:
    """Print what would become of every element of a file. Values name the patient: only when asked for.

    Raises
    ------
    Refused
        The file is not understood.
    """
    columns = ["tag", "name", "VR", "becomes", "why", *(["before", "after"] if values else [])]
    with content_of(Entry(file)) as content:
        source, _, header = opened(content)
        made = deidentify(source, profile=profile, keys=keys, issuer=issuer, header=header, fallback_charset=charset)
        new = made.to_bytes(source) if made.trailer else made.head
        given = scan(new, made.identity.transfer_syntax_uid, offset=made.dataset_offset, prefix=True)
        table(columns, [_cells(told, values=values) for told in explain(header, given, profile)])
    codes = ", ".join(made.record.method_codes)
    out.print(f"\n{profile.label} {profile.digest[:12]}; method codes {codes}; dates {profile.dates}", markup=False)


def _cells(told: Told, *, values: bool) -> list[str]:
    cells = [told.path, told.name, told.vr, told.becomes, told.why]
    return [*cells, _shown(told.before), _shown(told.after)] if values else cells


def _shown(value: bytes) -> str:
    return "".join(c if c.isprintable() else "." for c in value[:VALUE_BYTES_SHOWN].decode("utf-8", "replace"))


def print_profiles(config: Config) -> None:
    """Print the profiles that there are: what each is for, its options, its digest.

    Raises
    ------
    InvalidConfiguration
        A profile of the site cannot be used.
    """
    for name, chosen in ({name: load(name) for name in BUILT_IN} | dict(profiles_of(config))).items():
        purpose = BUILT_IN[name].purpose if name in BUILT_IN else "A site's own."
        out.print(f"[bold]{chosen.label}[/] {chosen.digest[:12]}  {purpose}")
        for option in OPTIONS:
            if option in chosen.options:
                out.print(f"    {option}  ({OPTIONS[option].code}, declared {declared(option)})", markup=False)
